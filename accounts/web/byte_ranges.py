"""The Range header of RFC 9110, as far as players use it: one range of bytes."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_BEYOND = 10**18
"""Further than any file goes; Python refuses to read numbers of thousands of digits."""


class RangeNotSatisfiableError(ValueError):
    """The range lies outside of what there is."""


def requested_range(header: str, size: int) -> range | None:
    """Which of `size` bytes are asked for; None for all of them or a form not understood."""
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (_position(digits) for digits in match.groups())
    if first is None:
        start, stop = max(size - (last or 0), 0), size
    else:
        start, stop = first, size if last is None else min(last + 1, size)
    if first is not None and last is not None and last < first:
        return None
    if start >= stop:
        raise RangeNotSatisfiableError(header)
    return range(start, stop)


def _position(digits: str) -> int | None:
    return None if not digits else int(digits) if len(digits) < 19 else _BEYOND
