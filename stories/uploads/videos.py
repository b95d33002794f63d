"""Reduces untrusted videos to the bare picture stream and a poster, or refuses them.

The packets of the picture are copied to a new file, without sound, subtitles, data tracks, metadata
(location, device, date) and anything between the frames. Only the poster is decoded here; the
worker samples the frames.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ml.video import VideoUnreadable, open_video, picture_stream, sample
from stories.uploads.bitstreams import BareBitstream
from stories.uploads.formats import VIDEO
from stories.uploads.photos import (
    PHOTO_SIDE,
    TOO_COSTLY,
    WRONG_TYPE,
    CleanPhoto,
    Upload,
    UploadError,
    clean_picture,
)

MAX_VIDEO_BYTES = VIDEO.max_bytes
MAX_SECONDS = VIDEO.max_seconds or 0
# A video cut to a minute is often a few frames longer.
SLACK_SECONDS = 1.0
# A minute in slow motion has 240 frames a second.
MAX_PACKETS = 61 * 240

TOO_LARGE = (
    f"This video is larger than {VIDEO.megabytes} MB. Please choose a shorter or smaller one."
)
TOO_LONG = f"This video is longer than {MAX_SECONDS} seconds. Please cut it and try again."
_TOO_MANY_PIXELS = f"This video is larger than {VIDEO.resolution}. Please choose a smaller one."
_STRANGE = "This video uses a codec that browsers can't play."
_DAMAGED = "This video is damaged or incomplete. Please choose another one, or upload it again."
_NO_PICTURE = "This file has only sound. Please choose a video or a photo."
_CODECS = {"mp4": {"h264", "hevc", "av1", "vp9", "mpeg4"}, "webm": {"vp8", "vp9", "av1"}}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CleanVideo:
    """The open file of a bare picture; `kind` is "mp4" or "webm"."""

    file: IO[bytes]
    kind: str
    seconds: float
    poster: CleanPhoto


def kind_of(upload: Upload) -> str | None:
    """Find a video's container by its first bytes: "mp4" (also QuickTime), "webm" or None."""
    upload.seek(0)
    found = VIDEO.detect(upload.read(64))
    return found.decoder if found else None


def check_tables(upload: Upload, kind: str) -> None:
    """Parse the tables of a file without decoding a picture. Raises UploadError.

    A few bytes can announce millions of frames, so this runs first, with little memory and time.
    """
    # The smallest probe, and no decoder: one would need room for whole pictures.
    options = {"codec_whitelist": "none", "probesize": "32"}
    with _translated(), open_video(upload, kind, **options) as source:
        # If memory runs out, FFmpeg silently leaves out the index.
        if any(stream.frames and not len(stream.index_entries) for stream in source.streams):
            raise MemoryError


def read_video(upload: Upload, kind: str, folder: Path) -> CleanVideo:
    """Check a file of this kind and write its picture to `folder`. Raises UploadError."""
    _check_size(upload)
    bare = folder / f"video.{kind}"
    with _translated():
        seconds = _copy_picture(upload, kind, bare)
        file = bare.open("rb")
    try:
        poster = _poster(file, kind)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return CleanVideo(file, kind, round(seconds, 3), poster)


def _check_size(upload: Upload) -> None:
    upload.seek(0)
    left = MAX_VIDEO_BYTES
    while chunk := upload.read(1 << 20):
        left -= len(chunk)
        if left < 0:
            raise UploadError("too_large", TOO_LARGE)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise UploadError instead; demuxers raise all kinds of errors for untrusted files."""
    try:
        yield
    except UploadError:
        raise
    except MemoryError as error:
        raise UploadError("too_costly", TOO_COSTLY) from error
    except Exception as error:
        logger.info("refused an unreadable video: %s", type(error).__name__)
        raise UploadError("unreadable", _DAMAGED) from error


def _poster(file: IO[bytes], kind: str) -> CleanPhoto:
    with _translated():
        (frame,) = sample(file, kind, 1, PHOTO_SIDE)
    return clean_picture(frame.picture)


def _copy_picture(upload: Upload, kind: str, bare: Path) -> float:
    """Write the packets of the picture to `bare`; return how many seconds they last."""
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if kind == "mp4" else {})
    with (
        open_video(upload, kind) as source,
        av.open(bare, "w", format=kind, options=options) as target,
    ):
        stream = _checked_stream(source, kind)
        copied = target.add_stream_from_template(stream, opaque=True)
        bitstream = BareBitstream(stream, copied, stream.codec_context.codec.canonical_name)
        first, last = float("inf"), float("-inf")
        for number, packet in enumerate(_packets(source, stream)):
            shown, lasts = _seconds(packet.pts, packet), _seconds(packet.duration, packet)
            first, last = min(first, shown), max(last, shown + lasts)
            if number >= MAX_PACKETS or last - first > MAX_SECONDS + SLACK_SECONDS:
                raise UploadError("too_long", TOO_LONG)
            target.mux(list(bitstream.filter(packet)))
    if last < first:
        raise VideoUnreadable("there is no packet")
    return last - first


def _packets(source: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    for packet in source.demux(stream):
        if packet.pts is not None and packet.dts is not None and packet.size:
            yield packet


def _seconds(ticks: int | None, packet: Packet[VideoStream]) -> float:
    return float((ticks or 0) * packet.time_base)


def _checked_stream(source: InputContainer, kind: str) -> VideoStream:
    stream = picture_stream(source)
    if stream is None and source.streams.audio:
        raise UploadError("no_picture", _NO_PICTURE)
    if stream is None:
        raise VideoUnreadable("there is no picture")
    codec = stream.codec_context
    if codec.codec.canonical_name not in _CODECS[kind]:
        raise UploadError("unsupported_type", f"{_STRANGE} {WRONG_TYPE}")
    if codec.width * codec.height > VIDEO.max_pixels:
        raise UploadError("too_many_pixels", _TOO_MANY_PIXELS)
    return stream
