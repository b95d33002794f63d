"""Tables of figures, for the page and for CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ml.review.estimates import Estimate
from stories.pages.presenters import display_name

Cell = str | int | float | None


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    estimate: Estimate | None = None

    @property
    def texts(self) -> list[str]:
        return [as_text(cell) for cell in self.cells]

    @property
    def measured(self) -> str:
        """The share with its interval."""
        if self.estimate is None:
            return "–"
        one = self.estimate
        return f"{one.share:.1%} ({one.low:.1%} to {one.high:.1%})"

    @property
    def bar(self) -> dict[str, float] | None:
        """The interval in SVG coordinates, 100 wide."""
        if self.estimate is None:
            return None
        parts = {"low": self.estimate.low, "at": self.estimate.share, "high": self.estimate.high}
        return {name: round(100 * value, 1) for name, value in parts.items()}


@dataclass(frozen=True)
class Table:
    """Rows of cells; where `measured` is set, each row ends with a share, its interval and n."""

    key: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    measured: bool = True


@dataclass(frozen=True)
class MatrixCell:
    """How often reviewers answered one class where the model said another."""

    answer: str
    said: str
    count: int
    heat: int


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix; a row is what reviewers say, a column what the model said."""

    columns: list[str]
    rows: list[tuple[str, list[MatrixCell]]]
    n: int


def matrix(answers: Sequence[str], said: Sequence[str], counts: list[list[int]]) -> Matrix:
    """The matrix with every cell's heat: its share of the row in five steps, 0 for none."""
    rows = [
        (
            display_name(answer),
            [
                MatrixCell(answer, one, count, -(-4 * count // sum(row)) if count else 0)
                for one, count in zip(said, row, strict=True)
            ],
        )
        for answer, row in zip(answers, counts, strict=True)
    ]
    return Matrix([*map(display_name, said)], rows, sum(map(sum, counts)))


def as_text(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
