"""Parser for the Range header of RFC 9110, limited to one range of bytes."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_MAX_POSITION = 10**18
"""Larger than any file; Python refuses to parse numbers with thousands of digits."""


class RangeNotSatisfiableError(ValueError):
    """The range lies outside the file."""


def requested_range(header: str, size: int) -> range | None:
    """The requested range of `size` bytes; None for the whole file or an unsupported header.

    Raises RangeNotSatisfiableError if the range lies outside the file.
    """
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
    return None if not digits else int(digits) if len(digits) < 19 else _MAX_POSITION
