"""The picture of an AVIF, and what its decoder doesn't pass on."""

from __future__ import annotations

import io
import re
from typing import Any

import pillow_heif

from stories.uploads.stills.picture import Picture

_HIDDEN = b"hide"
"""A type of item that no decoder knows."""

# An entry of the list of items (ISO/IEC 14496-12, 8.11.6) with EXIF or XMP, which may be broken.
_METADATA_ITEM = re.compile(rb"(infe[\2\3]\0\0.(?:.{4}|.{6}))(?:Exif|mime)", re.DOTALL)
_LONGEST = 1 << 20


def read(data: bytes) -> Picture:
    """Return the picture, with its colours and the margins outside its clean aperture.

    EXIF and XMP are hidden: the way an AVIF is turned isn't said there.
    """
    # libheif can't decode it, but reads what it says about itself.
    header: Any = pillow_heif.open_heif(io.BytesIO(data))[0]
    nclx = header.info.get("nclx_profile") or {}
    colours = (nclx["transfer_characteristics"], nclx["color_primaries"]) if nclx else None
    return Picture(_without_metadata(data), colours=colours, margins=_margins(header))


def _without_metadata(data: bytes) -> bytes:
    start = data.find(b"iinf", 0, _LONGEST)
    if start < 0:
        return data
    end = start - 4 + int.from_bytes(data[start - 4 : start], "big")
    items = _METADATA_ITEM.sub(rb"\1" + _HIDDEN, data[start:end])
    return data[:start] + items + data[end:]


def _margins(header: Any) -> tuple[int, int, int, int]:
    steps = header._c_image.transformations
    crops = [tuple(step[1:5]) for step in steps if step[0] == "clap"]
    return crops[0] if crops else (0, 0, 0, 0)
