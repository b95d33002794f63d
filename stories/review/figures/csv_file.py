"""The figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from stories.review.figures.report import Report
from stories.review.figures.tables import Cell, Matrix, Table

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """Every table of the report below its title; numbers are exact."""
    file = io.StringIO()
    writer = csv.writer(file)
    for row in _rows(report):
        writer.writerow([neutral(cell) for cell in row])
    return file.getvalue()


def neutral(cell: Cell) -> Cell:
    """The cell so that no spreadsheet runs it: a text like a formula gets an apostrophe first."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _rows(report: Report) -> Iterator[list[Cell]]:
    yield ["Question", report.question.label]
    yield ["Model version", report.version]
    for table in report.tables:
        yield []
        yield from _table(table)
    yield []
    yield ["Krippendorff's alpha", report.alpha, "n", report.units]
    yield ["Expected calibration error", report.ece, "n", report.bins_n]
    yield ["Confidence", "Right", "n"]
    for one in report.bins:
        yield [one.confidence, one.accuracy, one.n]
    if report.matrix:
        yield []
        yield from _matrix(report.matrix)


def _table(table: Table) -> Iterator[list[Cell]]:
    yield [table.title]
    yield [*table.columns, *(("Share", "Low", "High", "n") if table.measured else ())]
    for row in table.rows:
        one = row.estimate
        yield [*row.cells, *((one.share, one.low, one.high, one.n) if one else ())]


def _matrix(matrix: Matrix) -> Iterator[list[Cell]]:
    yield ["Reviewers \\ model", *matrix.columns]
    for name, cells in matrix.rows:
        yield [name, *(cell.count for cell in cells)]
