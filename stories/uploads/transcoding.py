"""Encodes an uploaded video anew, in the one form in which videos are stored and served.

H.264 in an MP4 that plays while it loads, which every browser shows: upright, in square pixels and
SDR, without sound, at a constant rate. Nothing of the upload but its pictures gets into it, so
nothing that somebody hid in the coded data, or a camera wrote there, does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import IO

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ml.display.pictures import Display
from ml.video import (
    SIDE,
    Timeline,
    VideoUnreadable,
    margins_of,
    open_video,
    picture_stream,
    read_timeline,
)
from stories.errors import NO_SPACE
from stories.uploads.formats import MAX_SECONDS, SLACK_SECONDS

MAX_RATE = 30
# Rates that are kept; timestamps in milliseconds, as WebM has them, are off by up to 2 %.
_USUAL = (
    *map(Fraction, (10, 12, 15, 20, 24, 25, MAX_RATE)),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30)),
)
_NEAR = 0.02
_OPTIONS = {"preset": "veryfast", "crf": "23", "profile": "high", "threads": "2"}
_BT709, _LIMITED = 1, 1


def transcode(
    file: IO[bytes], kind: str, target: Path, on_progress: Callable[[], None] = lambda: None
) -> None:
    """Write the picture of an upload of this kind to `target`. Raises VideoUnreadable."""
    try:
        _transcode(file, kind, target, on_progress)
    except av.FFmpegError as error:
        if error.errno in NO_SPACE:
            raise
        raise VideoUnreadable(str(error)) from error


def _transcode(file: IO[bytes], kind: str, target: Path, on_progress: Callable[[], None]) -> None:
    timeline = read_timeline(file, kind)
    with open_video(file, kind) as source:
        stream = picture_stream(source)
        if stream is None:
            raise VideoUnreadable("there is no picture")
        display = Display(stream, margins_of(file, kind, stream), SIDE, "yuv420p")
        rate = constant_rate(timeline.rate)
        decoded = _decoded(source, stream, on_progress)
        _encode(_at_constant_rate(decoded, timeline, rate), display, rate, target)


def constant_rate(rate: float) -> Fraction:
    """Return the usual rate that a rate is, or a whole number of times faster than; else 30."""
    slower = rate / ceil(rate / (MAX_RATE * (1 + _NEAR)))
    usual = min(_USUAL, key=lambda one: abs(one - slower))
    return usual if abs(usual / slower - 1) < _NEAR else Fraction(MAX_RATE)


def _decoded(
    source: InputContainer, stream: VideoStream, on_progress: Callable[[], None]
) -> Iterator[VideoFrame]:
    """Give the undamaged frames in the order in which they're shown."""
    for packet in source.demux(stream):
        on_progress()
        with suppress(av.FFmpegError):
            yield from (f for f in packet.decode() if f.pts is not None and not f.is_corrupt)


def _at_constant_rate(
    frames: Iterator[VideoFrame], timeline: Timeline, rate: Fraction
) -> Iterator[VideoFrame]:
    """Give for every moment the frame that is shown then, often enough the same one again."""
    count = max(1, round(min(timeline.seconds, MAX_SECONDS + SLACK_SECONDS) * rate))
    number, shown = 0, None
    for frame in frames:
        # A frame counts from half a tick before its time: rounded timestamps move none.
        while shown and number < count and (number + 0.5) / rate < frame.time - timeline.start:
            yield shown
            number += 1
        shown = frame
    while shown and number < count:
        yield shown
        number += 1


def _encode(frames: Iterator[VideoFrame], display: Display, rate: Fraction, target: Path) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    last, picture, stream = None, None, None
    with av.open(target, "w", format="mp4", options=options) as file:
        for number, frame in enumerate(frames):
            if frame is not last:
                last, picture = frame, display.picture(frame)
            assert picture is not None  # noqa: S101 - the first frame is not None
            stream = stream or _stream(file, picture, rate)
            picture.pts, picture.time_base = number, 1 / rate
            picture.pict_type = 0
            file.mux(stream.encode(picture))
        if stream is None:
            raise VideoUnreadable("no frame could be decoded")
        file.mux(stream.encode(None))


def _stream(file: av.container.OutputContainer, picture: VideoFrame, rate: Fraction) -> VideoStream:
    stream = file.add_stream("libx264", rate=rate, options=_OPTIONS)
    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
    codec = stream.codec_context
    codec.time_base, codec.gop_size = 1 / rate, 2 * ceil(rate)
    codec.color_primaries = codec.color_trc = codec.colorspace = _BT709
    codec.color_range = _LIMITED
    return stream
