"""Read CSV, TSV and their relatives, line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from recommender.catalogue.importing.formats.lines import LineError, Lines
from recommender.catalogue.importing.layouts import id_column, recognised
from recommender.catalogue.importing.tables import Table, TableRow
from recommender.catalogue.importing.track_ids import track_id
from recommender.errors import ImportFailedError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
UNCLOSED = "has a quotation mark that is never closed"
_HEADER_WITHIN = 10
# As Excel writes in front of the header.
_SEPARATOR_LINE = "sep="


class _Start(NamedTuple):
    """Where the header is, and what separates its columns."""

    skipped: int
    delimiter: str


def read(path: Path, codec: str) -> Iterator[Table]:
    """Yield the table once; its rows are read while it's in use."""
    with path.open(encoding=codec, errors="replace", newline="") as file:
        lines = Lines(file)
        start = _start(lines)
        for _ in range(start.skipped):
            next(lines)
        reader = csv.reader(_WithoutNul(lines), delimiter=start.delimiter, strict=True)
        lines.start_record()
        header = _header(reader)
        facts = {"format": "text", "encoding": codec, "delimiter": DELIMITERS[start.delimiter]}
        yield Table(header, _Rows(lines, reader, header, start.delimiter).rows(), facts)


def _start(lines: Lines) -> _Start:
    """The first line with the most known column names, and the delimiter that shows them."""
    lines.start_record()
    with suppress(LineError, StopIteration):
        while len(lines.taken) < _HEADER_WITHIN:
            next(lines)
    first = [line.replace("\x00", "") for line in lines.taken]
    lines.give_back()
    if not any(line.strip() for line in first):
        raise ImportFailedError("The file is empty.")
    allowed = [*DELIMITERS]
    if first[0].lower().startswith(_SEPARATOR_LINE) and first[0][4:5] in DELIMITERS:
        allowed = [first[0][4]]
        first[0] = ""
    starts = [
        (_names(first[at:], delimiter), -at, delimiter)
        for at, line in enumerate(first)
        if line.strip()
        for delimiter in allowed
    ]
    _, at, delimiter = max(starts, key=lambda start: start[:2])
    return _Start(-at, delimiter)


def _names(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Count the known column names in the first record and, if there are none, its cells."""
    try:
        cells = next(csv.reader(lines, delimiter=delimiter))
    except (csv.Error, StopIteration):
        return 0, 0
    known = recognised(cells)
    return known, 0 if known else len(cells)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader)
    except (LineError, csv.Error) as error:
        raise ImportFailedError(f"The first line of the file {error}.") from error


class _WithoutNul(Iterator[str]):
    """Lines without NUL; unlike a generator it goes on after an error and after its end."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __next__(self) -> str:
        return next(self._lines).replace("\x00", "")


class _Rows:
    """Reads records; one that can't be read costs its first line and no other."""

    def __init__(
        self, lines: Lines, reader: Iterator[list[str]], header: Sequence[str], delimiter: str
    ) -> None:
        self._lines, self._reader = lines, reader
        self._width, self._delimiter = len(header), delimiter
        self._id_column = id_column(header)

    def rows(self) -> Iterator[TableRow]:
        while True:
            line = self._lines.start_record()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except LineError as error:
                alone = len(self._lines.taken) == 1
                yield self._first_line(line, str(error) if alone else UNCLOSED)
            except csv.Error:
                yield self._first_line(line, self._badly_quoted(self._lines.taken[0]) or UNCLOSED)
            else:
                if self._has_several_ids(self._lines.taken):
                    yield self._first_line(line, UNCLOSED)
                elif any(cells):
                    yield TableRow(line, cells, len(self._lines.taken))

    def _first_line(self, line: int, cells: Sequence[str] | str) -> TableRow:
        self._lines.give_back(keep=1)
        return TableRow(line, cells)

    def _badly_quoted(self, line: str) -> list[str] | None:
        """Split a line with stray quotation marks, as in "7" Single"; None if that is ambiguous."""
        cells = line.rstrip("\r\n").split(self._delimiter)
        if len(cells) != self._width or any(map(_is_open, cells)):
            return None
        return [cell[1:-1].replace('""', '"') if _is_enclosed(cell) else cell for cell in cells]

    def _has_several_ids(self, taken: Sequence[str]) -> bool:
        """Whether unrelated quotation marks have merged several records into one."""
        return len(taken) > 1 and self._has_id(taken[0]) and any(map(self._has_id, taken[1:]))

    def _has_id(self, line: str) -> bool:
        cells = line.split(self._delimiter)
        at = self._id_column
        return (
            at is not None and at < len(cells) and track_id(cells[at].strip(' \r\n"')) is not None
        )


def _is_enclosed(cell: str) -> bool:
    return len(cell) > 1 and cell.startswith('"') and cell.endswith('"')


def _is_open(cell: str) -> bool:
    return cell.startswith('"') and not cell.endswith('"') and cell.count('"') % 2 == 1
