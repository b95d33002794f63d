"""The picture of a PNG: the chunks that hold its pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from stories.uploads.stills.picture import Picture

MAX_PROFILE = 4 << 20
"""Bytes of a colour profile; those of printers have up to 3 MB."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def read(data: bytes) -> Picture:
    """Return the picture, with the profile, the colours and the EXIF that can be read."""
    kept, said = [_SIGNATURE], dict[bytes, bytes]()
    for name, chunk in _chunks(data):
        if name in {b"IHDR", b"PLTE", b"IDAT"}:
            kept.append(chunk)
        elif name == b"tRNS":  # it may come with a wrong sum, like any chunk a decoder may skip
            kept.append(chunk[:-4] + struct.pack(">I", zlib.crc32(chunk[4:-4])))
        elif name in {b"iCCP", b"eXIf", b"cICP"}:
            said.setdefault(name, chunk[8:-4])
    cicp = said.get(b"cICP", b"")
    return Picture(
        b"".join(kept) + _END,
        exif=said.get(b"eXIf", b""),
        profile=_profile(said.get(b"iCCP", b"")),
        colours=(cicp[1], cicp[0]) if len(cicp) == 4 else None,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the names and bytes of all chunks up to the end; the last one may be cut off."""
    position = len(_SIGNATURE)
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big") + 12
        name = data[position + 4 : position + 8]
        if name == b"IEND":
            return
        yield name, data[position : position + length]
        position += length


def _profile(packed: bytes) -> bytes | None:
    name, _, rest = packed.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(rest[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if name and unpacking.eof else None
