"""Read the clean aperture of an MP4 or QuickTime file: the part of the picture to show.

It's in the box `clap` (ISO/IEC 14496-12, 12.1.4). FFmpeg reads the box but leaves cropping to
players, and PyAV doesn't expose it.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

MOST_BOXES = 1000
"""Boxes of one level that are looked at."""

_SAMPLE_ENTRY = 8 + 8 + 78
"""Bytes of `stsd` before the boxes inside its first entry."""

_BYTES = 32


class _File(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> object: ...

    def tell(self) -> int: ...


def margins(file: _File, track: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the pixels to cut off left, top, right and bottom of a track's frames; mostly none."""
    position = file.tell()
    try:
        return _cut(_clean_aperture(file, track), width, height)
    finally:
        file.seek(position)  # FFmpeg may be reading the same file


def _cut(box: bytes, width: int, height: int) -> tuple[int, int, int, int]:
    try:
        numbers = struct.unpack(">IIIIiIiI", box)
        wide, high, right, down = (Fraction(numbers[n], numbers[n + 1]) for n in (0, 2, 4, 6))
    except (struct.error, ZeroDivisionError):
        return 0, 0, 0, 0
    left, top = round((width - wide) / 2 + right), round((height - high) / 2 + down)
    margins = left, top, width - left - round(wide), height - top - round(high)
    return margins if min(margins) >= 0 and wide >= 2 and high >= 2 else (0, 0, 0, 0)


def _clean_aperture(file: _File, track: int) -> bytes:
    file.seek(0, 2)
    tracks = _inside(file, _inside(file, [(0, file.tell())], b"moov"), b"trak")
    spans = [span for span in tracks if _track_id(file, *span) == track]
    for name in (b"mdia", b"minf", b"stbl", b"stsd"):
        spans = _inside(file, spans, name)
    for start, stop in spans:
        for begin, finish in _boxes_named(file, start + _SAMPLE_ENTRY, stop, b"clap"):
            file.seek(begin)
            return file.read(min(finish - begin, _BYTES))
    return b""


def _track_id(file: _File, start: int, stop: int) -> int:
    for begin, _ in _boxes_named(file, start, stop, b"tkhd"):
        file.seek(begin)
        head = file.read(24)
        return int.from_bytes(head[20:24] if head[:1] == b"\1" else head[12:16], "big")
    return 0


def _inside(file: _File, spans: list[tuple[int, int]], name: bytes) -> list[tuple[int, int]]:
    return [box for span in spans for box in _boxes_named(file, *span, name)]


def _boxes_named(file: _File, start: int, stop: int, name: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the contents of each box of this name begin and end."""
    for _ in range(MOST_BOXES):
        if start + 8 > stop:
            return
        file.seek(start)
        head = file.read(16)
        size, begin = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), start + 16
        finish = min(start + size, stop) if size else stop
        if finish < begin:
            return
        if head[4:8] == name:
            yield begin, finish
        start = finish
