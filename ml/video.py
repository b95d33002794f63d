"""Open videos and sample the frames that are analysed, spread over the length."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import IO, Protocol, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from ml.display import clean_aperture
from ml.display.pictures import Display, Margins

FRAMES = 12
"""Analysed frames of a long video: one every five seconds of the longest."""

FRAMES_APART = 0.5
"""Seconds between the analysed frames of a short video.

Expressions of the whole face last from half a second to four (Ekman 2003, "Emotions Revealed").
"""

SIDE = 1280
"""Longer side in pixels of an analysed frame, and of a video as it's stored."""

TIMEOUT_SECONDS = 20.0
"""Seconds after which decoding stops; the frames decoded so far are used."""

THREADS = 2
"""Threads of a decoder."""

MAX_PIXELS = 4096 * 2304
"""Pixels of the largest frame that the decoder may allocate, whatever the file declares."""

DEMUXERS = {"mp4": "mov", "webm": "matroska", "avif": "mov", "gif": "gif"}
"""FFmpeg's demuxer for each kind: "mp4" is also QuickTime, "webm" all of Matroska."""


class VideoUnreadable(ValueError):
    """No frame can be decoded from the file."""


class VideoFile(Protocol):
    """The methods that decoding needs of an open file."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> object: ...

    def tell(self) -> int: ...


@dataclass(frozen=True)
class Frame:
    """An upright RGB picture and when it is shown, in seconds from the beginning."""

    at: float
    picture: Image.Image


@dataclass(frozen=True)
class Timeline:
    """Start, end and keyframes of a video in seconds, from the timestamps of its packets.

    `rate` is the number of frames per second, which may vary, by the median of their distances.
    """

    start: float
    end: float
    keys: tuple[float, ...]
    rate: float

    @property
    def seconds(self) -> float:
        """How long the picture lasts."""
        return self.end - self.start


def sample(
    file: IO[bytes],
    kind: str,
    count: int | None = None,
    *,
    timeout: float = TIMEOUT_SECONDS,
    on_progress: Callable[[], None] = lambda: None,
) -> list[Frame]:
    """Return up to `count` frames from the middles of equal parts of the video, as it's shown.

    Their longer side is at most SIDE pixels. `count` depends on the length unless it's given.
    `kind` is one of DEMUXERS. If a part has a keyframe, that is used, so most of a video is never
    decoded. Damaged frames are skipped. `on_progress` is called for each packet that's decoded.
    Raises VideoUnreadable if no frame can be decoded.
    """
    try:
        timeline = read_timeline(file, kind)
        with open_video(file, kind) as container:
            player = _Player(container, time.monotonic() + timeout, on_progress)
            display = Display(player.stream, margins_of(file, kind, player.stream), SIDE)
            return _frames(player, display, timeline, count)
    except av.FFmpegError as error:
        raise VideoUnreadable(str(error)) from error


def open_video(file: VideoFile, kind: str, **options: str) -> InputContainer:
    """Open a video for reading; MAX_PIXELS also limits the probing of its streams."""
    file.seek(0)
    return av.open(
        cast("IO[bytes]", file),
        "r",
        format=DEMUXERS[kind],
        options={"max_pixels": str(MAX_PIXELS), **options},
        metadata_errors="ignore",
    )


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the video stream, set to decode within MAX_PIXELS, or None.

    The cover of a sound file is none, and the still picture of an AVIF only if nothing moves.
    """
    streams = [stream for stream in container.streams.video if _is_moving(stream)]
    if not streams:
        return None
    stream = max(streams, key=lambda one: (one.frames != 1, one.disposition & _DEFAULT))
    codec = stream.codec_context
    codec.options = {"max_pixels": str(MAX_PIXELS)}
    codec.thread_type, codec.thread_count = "AUTO", THREADS
    return stream


_DEFAULT, _COVER = Disposition.default, Disposition.attached_pic


def _is_moving(stream: VideoStream) -> bool:
    """Whether there is a decoder for it and it's no cover."""
    return bool(stream.codec_context) and not stream.disposition & _COVER


def margins_of(file: VideoFile, kind: str, stream: VideoStream) -> Margins:
    """Return what is to be cut off the frames of an open video's stream."""
    if DEMUXERS[kind] != "mov":
        return 0, 0, 0, 0
    codec = stream.codec_context
    return clean_aperture.margins(file, stream.id, codec.width, codec.height)


class _Player:
    """Decodes forward, and seeks only if that saves decoding."""

    def __init__(
        self, container: InputContainer, deadline: float, on_progress: Callable[[], None]
    ) -> None:
        stream = picture_stream(container)
        if stream is None or stream.time_base is None:
            raise VideoUnreadable("there is no picture")
        stream.codec_context.skip_frame = "NONREF"  # a neighbour will do
        self._container, self.stream = container, stream
        self._deadline, self._on_progress = deadline, on_progress
        self._frames = self._decoded()
        self._at = float("-inf")

    def frame_from(self, key: float, target: float) -> VideoFrame | None:
        """Return the first undamaged frame at `target` or later; seek to `key` if it is ahead.

        At the end of the video or of the time, the last frame before it.
        """
        if target <= self._at:
            return None  # the previous frame was late, after damage, and covers this one
        if key > self._at:
            self._jump(key)
        last = None
        for last in self._frames:
            self._at = last.time
            if last.time >= target - 1e-3:
                break
        return last

    def _jump(self, key: float) -> None:
        assert self.stream.time_base is not None  # noqa: S101 - asked in __init__
        try:
            self._container.seek(round(key / self.stream.time_base), stream=self.stream)
        except av.FFmpegError:
            return  # without an index, decode forward instead
        self._frames = self._decoded()

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._container.demux(self.stream):
            if time.monotonic() > self._deadline:
                return
            self._on_progress()
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            yield from (f for f in frames if f.pts is not None and not f.is_corrupt)


def _frames(
    player: _Player, display: Display, timeline: Timeline, count: int | None
) -> list[Frame]:
    frames: list[Frame] = []
    count = count or min(FRAMES, max(1, round(timeline.seconds / FRAMES_APART)))
    part = timeline.seconds / count
    for number in range(count):
        begins = timeline.start + number * part
        middle = begins + part / 2
        inside = [key for key in timeline.keys if begins <= key < begins + part]
        target = min(inside, key=lambda key: abs(key - middle)) if inside else middle
        entry = max((key for key in timeline.keys if key <= target), default=timeline.start)
        frame = player.frame_from(entry, target)
        if frame is None:
            continue
        at = max(frame.time - timeline.start, 0.0)
        if not frames or at > frames[-1].at:
            frames.append(Frame(at, Image.fromarray(display.picture(frame).to_ndarray())))
    if not frames:
        raise VideoUnreadable("no frame could be decoded")
    return frames


def read_timeline(file: IO[bytes], kind: str) -> Timeline:
    """Return the timeline of the picture without decoding it. Raises VideoUnreadable."""
    with open_video(file, kind) as container:
        stream = picture_stream(container)
        if stream is None:
            raise VideoUnreadable("there is no picture")
        return timeline_of(container.demux(stream))


def timeline_of(packets: Iterable[Packet[VideoStream]]) -> Timeline:
    """Return the timeline of a stream's packets. Raises VideoUnreadable if there are none."""
    shown = [p for p in packets if p.pts is not None and p.size and not p.is_discard]
    if not shown:
        raise VideoUnreadable("there is no packet")
    base = float(shown[0].time_base)
    times = sorted(float(p.pts or 0) * base for p in shown)
    end = max(float((p.pts or 0) + (p.duration or 0)) * base for p in shown)
    gaps = [after - before for before, after in pairwise(times) if after > before]
    step = median(gaps) if gaps else max(end - times[0], base)
    keys = tuple(float(p.pts or 0) * base for p in shown if p.is_keyframe)
    return Timeline(times[0], max(end, times[-1] + step), keys, 1 / step)
