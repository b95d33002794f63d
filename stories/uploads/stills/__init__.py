"""Take the picture out of a file, and what it takes to show it; leave the rest behind.

A phone or an editor may write anything around a picture: a short video, a brighter copy, texts and
tables, complete or not. Decoders refuse a file for any of it, so they get the picture alone.
"""

from __future__ import annotations

from collections.abc import Callable

from stories.uploads.stills import isobmff, jpeg, png, webp
from stories.uploads.stills.picture import Picture

_READERS: dict[str, Callable[[bytes], Picture]] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "WEBP": webp.read,
    "AVIF": isobmff.read,
}


def take_picture(data: bytes, kind: str) -> Picture:
    """Return the picture in a file of a Pillow format. Raises ValueError if it isn't whole."""
    return _READERS.get(kind, Picture)(data)
