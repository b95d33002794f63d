"""Checks untrusted videos and takes their posters, or refuses them.

Of the pictures nothing but the poster is decoded here; the video is encoded anew by a worker
(`stories.uploads.transcoding`). Until then the upload is kept and served to nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from PIL import Image

from ml.video import VideoUnreadable, open_video, picture_stream, sample, timeline_of
from stories.uploads.formats import ANIMATED, MAX_SECONDS, SLACK_SECONDS, VIDEO
from stories.uploads.photos import (
    TOO_COSTLY,
    WRONG_TYPE,
    CleanPhoto,
    Upload,
    UploadError,
    clean_picture,
)

MAX_VIDEO_BYTES = VIDEO.max_bytes
# A minute in slow motion has 240 frames a second.
MAX_PACKETS = 61 * 240

TOO_LARGE = (
    f"This video is larger than {VIDEO.megabytes} MB. Please choose a shorter or smaller one."
)
TOO_LONG = f"This video is longer than {MAX_SECONDS} seconds. Please cut it and try again."
_TOO_MANY_PIXELS = f"This video is larger than {VIDEO.resolution}. Please choose a smaller one."
_STRANGE = "The picture of this video is coded in a way that we cannot read."
DAMAGED = "This video is damaged or incomplete. Please choose another one."
_NO_PICTURE = "There is no picture in this file, only sound. Please choose a video or a photo."
# Decoders that strangers may reach: what phones, cameras and browsers write, now or years ago.
_CODECS = {
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "h263", "mpeg1video", "mpeg2video"),
    *("mjpeg", "prores", "gif"),
}
_POSTER_SECONDS = 1.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedVideo:
    """What an upload is: `kind` is one of ml.video.DEMUXERS."""

    kind: str
    seconds: float
    poster: CleanPhoto


def kind_of(upload: Upload) -> str | None:
    """Find what demuxer reads an upload by its first bytes; None if it's no video.

    A GIF is a video if it moves.
    """
    upload.seek(0)
    head = upload.read(64)
    found = VIDEO.detect(head) or next((one for one in ANIMATED if one.matches(head)), None)
    if found is None or (found.decoder == "gif" and not _is_animated(upload)):
        return None
    return found.decoder


def _is_animated(upload: Upload) -> bool:
    upload.seek(0)
    try:
        with Image.open(cast("IO[bytes]", upload), formats=["GIF"]) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception as error:  # reading it as a photo says what is wrong
        logger.info("could not look for a second picture: %s", type(error).__name__)
        return False


def check_tables(upload: Upload, kind: str) -> None:
    """Read what a file says about itself, and no picture. Raises UploadError.

    A few bytes can announce millions of frames, so this is tried with little memory and time first.
    """
    # The smallest probe, and no decoder: one would need room for whole pictures.
    options = {"codec_whitelist": "none", "probesize": "32"}
    with _translated(), open_video(upload, kind, **options) as source:
        # FFmpeg silently leaves out an index for which there is no memory. A GIF has none.
        is_left_out = [one.frames and not len(one.index_entries) for one in source.streams]
        if kind != "gif" and any(is_left_out):
            raise MemoryError


def read_video(upload: Upload, kind: str) -> CheckedVideo:
    """Check an upload of this kind and take its poster. Raises UploadError."""
    _check_size(upload)
    with _translated():
        with open_video(upload, kind) as source:
            stream = _checked_stream(source)
            timeline = timeline_of(_limited(source.demux(stream)))
        (frame,) = sample(cast("IO[bytes]", upload), kind, 1, timeout=_POSTER_SECONDS)
    if timeline.seconds > MAX_SECONDS + SLACK_SECONDS:
        raise UploadError("too_long", TOO_LONG)
    return CheckedVideo(kind, round(timeline.seconds, 3), clean_picture(frame.picture))


def _check_size(upload: Upload) -> None:
    upload.seek(0)
    left = MAX_VIDEO_BYTES
    while chunk := upload.read(1 << 20):
        left -= len(chunk)
        if left < 0:
            raise UploadError("too_large", TOO_LARGE)


@contextmanager
def _translated() -> Iterator[None]:
    """A demuxer that is fed by strangers may raise anything; none of it is our failure."""
    try:
        yield
    except UploadError:
        raise
    except MemoryError as error:
        raise UploadError("too_costly", TOO_COSTLY) from error
    except Exception as error:
        logger.info("refused an unreadable video: %s", type(error).__name__)
        raise UploadError("unreadable", DAMAGED) from error


def _limited(packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    """Give the packets as long as they aren't too many, or too far apart."""
    first: int | None = None
    for number, packet in enumerate(packets):
        if packet.pts is not None:
            first = packet.pts if first is None else min(first, packet.pts)
            long = float((packet.pts - first) * packet.time_base) > MAX_SECONDS + SLACK_SECONDS
            if long or number >= MAX_PACKETS:
                raise UploadError("too_long", TOO_LONG)
        yield packet


def _checked_stream(source: InputContainer) -> VideoStream:
    stream = picture_stream(source)
    if stream is None and source.streams.audio:
        raise UploadError("no_picture", _NO_PICTURE)
    if stream is None:
        raise VideoUnreadable("there is no picture")
    codec = stream.codec_context
    if codec.codec.canonical_name not in _CODECS:
        raise UploadError("unsupported_type", f"{_STRANGE} {WRONG_TYPE}")
    if codec.width * codec.height > VIDEO.max_pixels:
        raise UploadError("too_many_pixels", _TOO_MANY_PIXELS)
    return stream
