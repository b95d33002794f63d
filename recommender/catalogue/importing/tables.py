"""The common form of a catalogue file: a header and numbered rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class TableRow(NamedTuple):
    """One record: where it starts, its cells, and how many lines it takes.

    Lines are those of a text file, rows of a sheet, or positions in a Parquet file. An unreadable
    record has a string that says why instead of cells.
    """

    line: int
    cells: Sequence[Any] | str
    lines: int = 1


class Table(NamedTuple):
    """A header and rows, with what was detected about the file, such as its encoding."""

    header: list[str]
    rows: Iterator[TableRow]
    facts: dict[str, str]


def peek(items: Iterable[T], count: int) -> tuple[list[T], Iterator[T]]:
    """The first items, and an iterator over all of them."""
    rest = iter(items)
    first = list(islice(rest, count))
    return first, chain(first, rest)
