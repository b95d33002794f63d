"""Refuse JSON whose nesting or size would fill the memory of a parser that streams it."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

# Spotify's files nest 8 deep at most, and describe a track in a few hundred bytes.
MAX_DEPTH = 50
MAX_ITEM = 1 << 20
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NO_BRACKET = bytes({*range(256)} - {*b"[]{}"})
_READ = 1 << 14


class UnusualJsonError(ValueError):
    """No export nests that deep, or has items that large."""


class BoundedJson:
    """A JSON file of items that are `depth` levels deep, checked while it's read."""

    def __init__(self, file: BinaryIO, depth: int) -> None:
        self._file, self._items_at = file, depth
        self._depth = self._size = 0
        self._is_start = True
        self._rest = b""
        """The start of a string that goes on in the next piece."""

    def read(self, size: int = _READ) -> bytes:
        piece = self._file.read(min(size, _READ))
        if piece and self._is_start:  # some editors put a byte order mark there, which no JSON has
            piece, self._is_start = piece.removeprefix(codecs.BOM_UTF8), False
        self._check(piece)
        return piece

    def _check(self, piece: bytes) -> None:
        structure = _STRING.sub(b"", self._rest + piece)
        structure, quote, rest = structure.partition(b'"')
        self._rest = quote + rest
        is_between_items = False
        for bracket in structure.translate(None, _NO_BRACKET):
            self._depth += 1 if bracket in b"[{" else -1
            is_between_items |= self._depth <= self._items_at
            if self._depth > MAX_DEPTH:
                raise UnusualJsonError
        self._size = 0 if is_between_items else self._size + len(piece)
        if self._size > MAX_ITEM or len(self._rest) > MAX_ITEM:
            raise UnusualJsonError
