"""Numbered lines of a text file, limited in length, with push-back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TextIO

MAX_LENGTH = 1_000_000
# More lines than a quoted text in a table has.
MAX_TAKEN = 1000


class LineError(Exception):
    """A line or record is too long; the message says so."""


class Lines(Iterator[str]):
    """Iterates over lines and remembers those of the current record."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._given_back: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __next__(self) -> str:
        is_new = not self._given_back
        line = self._file.readline(MAX_LENGTH) if is_new else self._given_back.popleft()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        if len(line) == MAX_LENGTH and not line.endswith(("\n", "\r")):
            if is_new:
                self._skip_rest()
            raise LineError(f"is longer than {MAX_LENGTH:,} characters")
        if len(self.taken) > MAX_TAKEN:
            raise LineError(f"has a text of more than {MAX_TAKEN:,} lines")
        return line

    def start_record(self) -> int:
        """Forget the lines taken so far; the number of the line that comes next."""
        self.taken.clear()
        return self.number + 1

    def give_back(self, *, keep: int = 0) -> None:
        """Return the lines of the current record, but for the first `keep`."""
        returned = self.taken[keep:]
        self._given_back.extendleft(reversed(returned))
        self.number -= len(returned)
        del self.taken[keep:]

    def _skip_rest(self) -> None:
        while (piece := self._file.readline(MAX_LENGTH)) and not piece.endswith(("\n", "\r")):
            pass
