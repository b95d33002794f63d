"""Sample the frames of a video that are analysed: spread over its length and turned upright."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol, cast

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

FRAMES = 12
"""Analysed frames per video: one every five seconds of the longest."""

SIDE = 1280
"""Longer side in pixels of an analysed frame."""

TIMEOUT_SECONDS = 20.0
"""Seconds after which decoding stops; the frames decoded so far are used."""

MAX_PIXELS = 4096 * 2304
"""Pixels of the largest frame that the decoder may allocate, whatever the file declares."""

DEMUXERS = {"mp4": "mov", "webm": "matroska"}


class VideoUnreadable(ValueError):
    """No frame can be decoded from the file."""


class VideoFile(Protocol):
    """The methods that decoding needs of an open file."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> object: ...


@dataclass(frozen=True)
class Frame:
    """An upright RGB picture and when it is shown, in seconds from the beginning."""

    at: float
    picture: Image.Image


@dataclass(frozen=True)
class Timeline:
    """Start, end and keyframes of a video in seconds, from the timestamps of its packets."""

    start: float
    end: float
    keys: tuple[float, ...]


def sample(
    file: IO[bytes],
    kind: str,
    count: int = FRAMES,
    side: int = SIDE,
    *,
    timeout: float = TIMEOUT_SECONDS,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Frame]:
    """Return up to `count` frames from the middles of equal parts of the video.

    Their longer side is at most `side` pixels.

    `kind` is "mp4" (also QuickTime) or "webm". If a part has a keyframe, that is used, so most of a
    video is never decoded. Damaged frames are skipped. `on_frame` is called after each frame.
    Raises VideoUnreadable if no frame can be decoded.
    """
    try:
        timeline = _timeline(file, kind)
        with open_video(file, kind) as container:
            player = _Player(container, timeline.start, time.monotonic() + timeout)
            return _frames(player, timeline, count, side, on_frame)
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
    """Return the video stream, set to decode within MAX_PIXELS, or None."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or not stream.codec_context:  # no known decoder
        return None
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


class _Player:
    """Decodes forward, and seeks only if that saves decoding."""

    def __init__(self, container: InputContainer, start: float, deadline: float) -> None:
        stream = picture_stream(container)
        if stream is None or stream.time_base is None:
            raise VideoUnreadable("there is no picture")
        self._container, self._stream = container, stream
        self._start, self._deadline = start, deadline
        self._frames = self._decoded()
        self._at = float("-inf")

    def frame_from(self, key: float, wanted: float) -> VideoFrame | None:
        """Return the first undamaged frame at `wanted` or later; seek to `key` if it is ahead."""
        if wanted <= self._at:
            return None  # the previous frame was late, after damage, and covers this one
        if key > self._at:
            self._jump(key)
        for frame in self._frames:
            self._at = frame.time
            if frame.time >= wanted - 1e-3:
                return frame
        return None

    def _jump(self, key: float) -> None:
        assert self._stream.time_base is not None  # noqa: S101 - asked in __init__
        try:
            self._container.seek(round(key / self._stream.time_base), stream=self._stream)
        except av.FFmpegError:
            return  # without an index, decode forward instead
        self._frames = self._decoded()

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._container.demux(self._stream):
            if time.monotonic() > self._deadline:
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            yield from (f for f in frames if f.pts is not None and not f.is_corrupt)


def _frames(
    player: _Player, timeline: Timeline, count: int, side: int, on_frame: Callable[[], None]
) -> list[Frame]:
    found: list[Frame] = []
    part = (timeline.end - timeline.start) / count
    for number in range(count):
        begins = timeline.start + number * part
        middle = begins + part / 2
        inside = [key for key in timeline.keys if begins <= key < begins + part]
        wanted = min(inside, key=lambda key: abs(key - middle)) if inside else middle
        entry = max((key for key in timeline.keys if key <= wanted), default=timeline.start)
        frame = player.frame_from(entry, wanted)
        if frame is None:
            continue
        at = max(frame.time - timeline.start, 0.0)
        if not found or at > found[-1].at:
            found.append(Frame(at, _upright(frame, side)))
        on_frame()
    if not found:
        raise VideoUnreadable("no frame could be decoded")
    return found


def _upright(frame: VideoFrame, side: int) -> Image.Image:
    scale = min(1.0, side / max(frame.width, frame.height))
    size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
    picture: Image.Image = frame.to_image(width=size[0], height=size[1])  # type: ignore[no-untyped-call]
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture


def _timeline(file: IO[bytes], kind: str) -> Timeline:
    with open_video(file, kind) as container:
        stream = picture_stream(container)
        if stream is None or stream.time_base is None:
            raise VideoUnreadable("there is no picture")
        base = stream.time_base
        times = [
            (float(p.pts * base), float((p.duration or 0) * base), p.is_keyframe)
            for p in container.demux(stream)
            if p.pts is not None
        ]
    if not times:
        raise VideoUnreadable("there is no packet")
    keys = tuple(at for at, _, is_key in times if is_key)
    return Timeline(min(times)[0], max(at + lasts for at, lasts, _ in times), keys)
