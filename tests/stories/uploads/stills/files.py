"""Parts of picture files, for tests that put together what phones and editors write."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stories.uploads.photos import UploadError, read_photo


def scene(width: int = 320, height: int = 240) -> Image.Image:
    """A picture with detail everywhere, as photographs have it."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noise = rng.integers(-8, 8, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(data: bytes) -> Image.Image:
    """The picture that's kept of an upload."""
    return Image.open(io.BytesIO(read_photo(io.BytesIO(data)).jpeg)).convert("RGB")


def refused(data: bytes) -> UploadError:
    with pytest.raises(UploadError) as refusal:
        read_photo(io.BytesIO(data))
    return refusal.value


def colour(image: Image.Image) -> list[float]:
    return [float(mean) for mean in np.asarray(image).mean(axis=(0, 1))]


def segment(marker: int, body: bytes) -> bytes:
    """A part of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def chunk(name: bytes, body: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    return png[:33] + b"".join(chunks) + png[33:]


def box(name: bytes, body: bytes) -> bytes:
    """A part of an MP4, a HEIC or an AVIF."""
    return struct.pack(">I", len(body) + 8) + name + body


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found, start = [], 0
    while start < len(data):
        size = int.from_bytes(data[start : start + 4], "big") or len(data) - start
        found.append((data[start + 4 : start + 8], data[start + 8 : start + size]))
        start += size
    return found


def with_property(still: bytes, name: bytes, body: bytes) -> bytes:
    """A HEIC or AVIF of one item without extents' bases, of which a property more is said."""
    grown = len(box(name, body)) + 1

    def changed(part: bytes, inside: bytes) -> bytes:
        if part == b"meta":
            return box(part, inside[:4] + b"".join(changed(*one) for one in boxes(inside[4:])))
        if part == b"iprp":
            (ipco, ipma) = (one for _, one in boxes(inside))
            number = len(boxes(ipco)) + 1
            count = ipma[10] + 1
            ipma = ipma[:10] + bytes((count,)) + ipma[11:] + bytes((0x80 | number,))
            return box(part, box(b"ipco", ipco + box(name, body)) + box(b"ipma", ipma))
        if part == b"iloc":  # one extent: its offset and its length are the last eight bytes
            offset, length = struct.unpack(">II", inside[-8:])
            return box(part, inside[:-8] + struct.pack(">II", offset + grown, length))
        return box(part, inside)

    return b"".join(changed(*one) for one in boxes(still))
