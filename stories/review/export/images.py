"""Encoded pictures of an export: photos as in HAR, faces with enough around them to be found."""

from __future__ import annotations

import io

from PIL import Image

from ml.images import shrink
from stories.review.export.labels import Box

SHORT_SIDE = 224
AROUND = 0.4
"""How much of a face's box is added at each side."""
FACE_SIDES = (96, 320)
"""Shortest and longest longer side of a face crop in pixels; up to 64, an image counts as framed
as in FER-2013 (`ml.emotion.photo`)."""


def photo_bytes(photo: Image.Image) -> bytes:
    """The photo with a shorter side of at most 224 pixels, as WebP."""
    return _webp(shrink(photo, round(SHORT_SIDE * max(photo.size) / min(photo.size))))


def face_bytes(photo: Image.Image, box: Box) -> bytes:
    """The face in a box of shares of the photo, with what is around it, as WebP."""
    x, y, wide, high = box
    edges = (
        max(x - AROUND * wide, 0.0) * photo.width,
        max(y - AROUND * high, 0.0) * photo.height,
        min(x + (1 + AROUND) * wide, 1.0) * photo.width,
        min(y + (1 + AROUND) * high, 1.0) * photo.height,
    )
    left, top, right, bottom = (round(edge) for edge in edges)
    face = photo.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    scale = min(max(*face.size, FACE_SIDES[0]), FACE_SIDES[1]) / max(face.size)
    size = (max(1, round(face.width * scale)), max(1, round(face.height * scale)))
    return _webp(face if size == face.size else face.resize(size, Image.Resampling.BICUBIC))


def _webp(photo: Image.Image) -> bytes:
    stream = io.BytesIO()
    photo.save(stream, "WEBP", quality=90)
    return stream.getvalue()
