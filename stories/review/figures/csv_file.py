"""The figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from stories.review.figures.report import Report
from stories.review.figures.tables import Cell, Matrix, Table

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report, key: str = "") -> str:
    """Every table of the report below its title, or the one with this key; numbers are exact.

    Raises KeyError for an unknown key.
    """
    sections = dict(_sections(report))
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([neutral(cell) for cell in ("Question", report.question.label)])
    writer.writerow([neutral(cell) for cell in ("Model version", report.version)])
    for rows in [sections[key]] if key else sections.values():
        writer.writerow([])
        writer.writerows([neutral(cell) for cell in row] for row in rows)
    return file.getvalue()


def neutral(cell: Cell) -> Cell:
    """The cell so that no spreadsheet runs it: a text like a formula gets an apostrophe first."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _sections(report: Report) -> Iterator[tuple[str, list[list[Cell]]]]:
    for table in report.tables:
        yield table.key, list(_table(table, report))
    yield "reliability", list(_reliability(report))
    yield "matrix", list(_matrix(report.matrix)) if report.matrix else []


def _table(table: Table, report: Report) -> Iterator[list[Cell]]:
    yield [table.title]
    yield [*table.columns, *(("Share", "Low", "High", "n") if table.measured else ())]
    for row in table.rows:
        one = row.estimate
        yield [*row.cells, *((one.share, one.low, one.high, one.n) if one else ())]
    if table.key == "kappa":
        yield ["Krippendorff's alpha", report.alpha, "n", report.units]


def _reliability(report: Report) -> Iterator[list[Cell]]:
    yield ["Expected calibration error", report.ece, "n", report.bins_n]
    yield ["Confidence", "Right", "n"]
    for one in report.bins:
        yield [one.confidence, one.accuracy, one.n]


def _matrix(matrix: Matrix) -> Iterator[list[Cell]]:
    yield ["Reviewers \\ model", *matrix.columns, "n", matrix.n]
    for name, cells in matrix.rows:
        yield [name, *(cell.count for cell in cells)]
