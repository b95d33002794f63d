"""The picture of a WebP: the chunks that hold its pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from stories.uploads.stills.picture import Picture

_PIXELS = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
_FEATURES = b"VP8X"
_PROFILE, _EXIF, _XMP = 0x20, 0x08, 0x04


def read(data: bytes) -> Picture:
    """Return the picture, with its profile and its EXIF."""
    kept, said = list[bytes](), dict[bytes, bytes]()
    for name, body in _chunks(data):
        if name == _FEATURES and body:
            flags = body[0] & ~(_PROFILE | _EXIF | _XMP)
            kept.append(_chunk(name, bytes((flags,)) + body[1:]))
        elif name in _PIXELS:
            kept.append(_chunk(name, body))
        elif name in {b"ICCP", b"EXIF"}:
            said.setdefault(name, body)
    chunks = b"".join(kept)
    return Picture(
        b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks,
        exif=said.get(b"EXIF", b""),
        profile=said.get(b"ICCP"),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the names and contents of the chunks. Raises ValueError if one of pixels is cut off."""
    position, end = 12, min(len(data), int.from_bytes(data[4:8], "little") + 8)
    while position + 8 <= end:
        name = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        body = data[position + 8 : position + 8 + length]
        if len(body) < length:
            if name in _PIXELS:
                raise ValueError("pixels are missing")
            return
        yield name, body
        position += 8 + length + length % 2


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
