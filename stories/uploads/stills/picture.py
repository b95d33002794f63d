"""The picture in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A file that holds a picture and nothing else, and what was said about the picture.

    `profile` is an ICC profile, `colours` are the transfer characteristics and primaries as
    ISO/IEC 23091-2 numbers them, `margins` the pixels to cut off left, top, right and bottom.
    A picture `is_streamed` if its decoder never needs to hold all of it.
    """

    data: bytes
    exif: bytes = b""
    profile: bytes | None = None
    colours: tuple[int, int] | None = None
    margins: tuple[int, int, int, int] = (0, 0, 0, 0)
    is_streamed: bool = False
