"""Read Excel workbooks (.xlsx) row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from recommender.catalogue.importing.layouts import recognised
from recommender.catalogue.importing.tables import Table, TableRow, peek
from recommender.errors import ImportFailedError

_HEADER_WITHIN = 10
_MAX_COLUMNS = 500
# Cells of text are kept in memory for the whole of a workbook.
_MAX_TEXTS = 300 * 1024**2
_TEXTS = "xl/sharedStrings.xml"
_WORKBOOK = "xl/workbook.xml"
_DAMAGE = (
    *(KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError),
    *(ParseError, zipfile.BadZipFile, OSError),
)


def is_workbook(archive: zipfile.ZipFile) -> bool:
    return _WORKBOOK in archive.NameToInfo


def read(path: Path, archive: zipfile.ZipFile) -> Iterator[Table]:
    """Yield the table of the sheet with the most known columns."""
    # Imported here because only this command needs it.
    import openpyxl

    texts = archive.NameToInfo.get(_TEXTS)
    if texts and texts.file_size > _MAX_TEXTS:
        raise ImportFailedError("The workbook is too large. Save it as CSV.")
    # Of a path the suffix would have to be right, too.
    with path.open("rb") as file:
        with _damage_named():
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet, skipped = max(map(_start, book.worksheets), key=lambda start: start[0])[1:]
            rows = _rows(sheet)
            header = next(row.cells for row in rows if row.line > skipped)
        names = ["" if cell is None else str(cell) for cell in header]
        while names and not names[-1].strip():
            names.pop()
        cut = (row._replace(cells=row.cells[: len(names)]) for row in rows)
        yield Table(names, cut, {"format": "Excel", "sheet": str(sheet.title)})


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except StopIteration as error:
        raise ImportFailedError("The workbook is empty.") from error
    except _DAMAGE as error:
        raise ImportFailedError("The workbook is damaged. Save it again, or as CSV.") from error


def _start(sheet: Any) -> tuple[int, Any, int]:
    """How many known columns the best of the first rows has, and how many rows precede it."""
    # The size that a workbook states for a sheet is often wrong.
    sheet.reset_dimensions()
    first, _ = peek(_rows(sheet), _HEADER_WITHIN)
    known = [(recognised(list(map(str, row.cells))), -row.line) for row in first]
    best, line = max(known, default=(-1, -1))
    return best, sheet, -line - 1


def _rows(sheet: Any) -> Iterator[TableRow]:
    with _damage_named():
        for line, cells in enumerate(
            sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS), start=1
        ):
            if any(cell is not None for cell in cells):
                yield TableRow(line, cells)
