"""Frames that stand for a video: spread over its time, decoded one by one, turned upright."""

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
"""Frames that are analysed of a video: one every five seconds of the longest."""

SIDE = 1280
"""Longer side in pixels of a frame that is analysed."""

PATIENCE = 20.0
"""Seconds after which decoding stops with the frames that it has."""

MAX_PIXELS = 4096 * 2304
"""Pixels of the largest frame that the decoder may make room for, whatever the file announces."""

DEMUXERS = {"mp4": "mov", "webm": "matroska"}


class VideoUnreadable(ValueError):
    """No picture can be decoded from this file."""


class VideoFile(Protocol):
    """What is needed of an open file."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> object: ...


@dataclass(frozen=True)
class Frame:
    """An upright RGB picture and when it is shown, in seconds from the beginning."""

    at: float
    picture: Image.Image


@dataclass(frozen=True)
class Course:
    """When a video begins, ends and can be entered, in seconds as its packets say it."""

    start: float
    end: float
    keys: tuple[float, ...]


def sample(
    file: IO[bytes],
    kind: str,
    count: int = FRAMES,
    side: int = SIDE,
    *,
    patience: float = PATIENCE,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Frame]:
    """Return up to `count` frames, the middles of equal parts of the video, at most `side` long.

    `kind` is "mp4" (also QuickTime) or "webm". A frame that can be decoded on its own is taken
    where the part has one, so that most of a video is never decoded. Damaged frames are passed
    over. `on_frame` is called after each. Raises VideoUnreadable where there is none at all.
    """
    try:
        course = _course(file, kind)
        with open_video(file, kind) as container:
            player = _Player(container, course.start, time.monotonic() + patience)
            return _frames(player, course, count, side, on_frame)
    except av.FFmpegError as error:
        raise VideoUnreadable(str(error)) from error


def open_video(file: VideoFile, kind: str, **options: str) -> InputContainer:
    """Open a video for reading; also what looks for its streams decodes within MAX_PIXELS."""
    file.seek(0)
    return av.open(
        cast("IO[bytes]", file),
        "r",
        format=DEMUXERS[kind],
        options={"max_pixels": str(MAX_PIXELS), **options},
        metadata_errors="ignore",
    )


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the moving picture, ready to be decoded within MAX_PIXELS; None if there is none."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or not stream.codec_context:  # no known decoder
        return None
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


class _Player:
    """Decodes forward, and jumps only where that saves decoding."""

    def __init__(self, container: InputContainer, start: float, deadline: float) -> None:
        stream = picture_stream(container)
        if stream is None or stream.time_base is None:
            raise VideoUnreadable("there is no picture")
        self._container, self._stream = container, stream
        self._start, self._deadline = start, deadline
        self._frames = self._decoded()
        self._at = float("-inf")

    def frame_from(self, key: float, wanted: float) -> VideoFrame | None:
        """Return the first sound frame at `wanted` or later, entering at `key` if that is ahead."""
        if wanted <= self._at:
            return None  # the sound frame before came late, after damage, and stands for this one
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
            return  # a file without an index is decoded on to that place
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
    player: _Player, course: Course, count: int, side: int, on_frame: Callable[[], None]
) -> list[Frame]:
    found: list[Frame] = []
    part = (course.end - course.start) / count
    for number in range(count):
        begins = course.start + number * part
        middle = begins + part / 2
        inside = [key for key in course.keys if begins <= key < begins + part]
        wanted = min(inside, key=lambda key: abs(key - middle)) if inside else middle
        entry = max((key for key in course.keys if key <= wanted), default=course.start)
        frame = player.frame_from(entry, wanted)
        if frame is None:
            continue
        at = max(frame.time - course.start, 0.0)
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


def _course(file: IO[bytes], kind: str) -> Course:
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
    return Course(min(times)[0], max(at + lasts for at, lasts, _ in times), keys)
