"""The Range header of RFC 9110, as far as players use it: one range of bytes."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class RangeNotSatisfiableError(ValueError):
    """The range lies outside of what there is."""


def requested_range(header: str, size: int) -> range | None:
    """Which of `size` bytes are asked for; None for all of them or a form not understood."""
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if first and last and int(last) < int(first):
        return None
    if start >= stop:
        raise RangeNotSatisfiableError(header)
    return range(start, stop)
