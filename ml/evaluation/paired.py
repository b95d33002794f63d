"""Compare two classifiers on the same rows: McNemar's exact test, interval of the difference."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from ml.evaluation.metrics import interval


@dataclass(frozen=True)
class Paired:
    """How often a candidate and the serving model are right on the same n rows.

    `difference` is the candidate's accuracy minus the serving model's, `low` and `high` its 95 %
    interval; `p` is McNemar's exact test of whether the two are equally often right alone.
    """

    n: int
    serving: float
    candidate: float
    only_serving: int
    only_candidate: int
    difference: float
    low: float
    high: float
    p: float

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON types, rounded to five places."""
        rounded = ("serving", "candidate", "difference", "low", "high", "p")
        plain = asdict(self)
        return plain | {name: round(plain[name], 5) for name in rounded}


def compare(serving: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> Paired | None:
    """Compare (n,) masks of which rows each of them gets right; None without rows."""
    if not len(serving):
        return None
    both, alone, other, neither = (
        int(rows.sum())
        for rows in (
            serving & candidate,
            candidate & ~serving,
            serving & ~candidate,
            ~serving & ~candidate,
        )
    )
    low, high = difference_interval(both, alone, other, neither)
    return Paired(
        n=len(serving),
        serving=float(serving.mean()),
        candidate=float(candidate.mean()),
        only_serving=other,
        only_candidate=alone,
        difference=(alone - other) / len(serving),
        low=low,
        high=high,
        p=mcnemar(alone, other),
    )


def mcnemar(alone: int, other: int) -> float:
    """Return the two-sided p of McNemar's exact test (1947) from the two discordant counts."""
    return float(binomtest(alone, alone + other, 0.5).pvalue) if alone + other else 1.0


def difference_interval(both: int, alone: int, other: int, neither: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two paired shares.

    Of n rows `both` are right for the first and the second, `alone` only for the first, `other`
    only for the second. Method 10 of Newcombe (1998): Wilson's intervals, corrected for the
    correlation. It stays wide where few rows say little, even if the two never differ.
    """
    n = both + alone + other + neither
    first, second = (both + alone) / n, (both + other) / n
    (low1, high1), (low2, high2) = interval(first, n), interval(second, n)
    phi = _correlation(both, alone, other, neither)
    down, up = (first - low1, high2 - second), (high1 - first, second - low2)
    return (
        first - second - _length(*down, phi),
        first - second + _length(*up, phi),
    )


def _length(a: float, b: float, phi: float) -> float:
    return float(max(a * a - 2 * phi * a * b + b * b, 0.0) ** 0.5)


def _correlation(both: int, alone: int, other: int, neither: int) -> float:
    """Return phi with Newcombe's continuity correction; 0 where a margin is empty."""
    n = both + alone + other + neither
    margins = (both + alone) * (other + neither) * (both + other) * (alone + neither)
    if not margins:
        return 0.0
    product = both * neither - alone * other
    corrected = max(product - n / 2, 0.0) if product >= 0 else product
    return float(corrected / margins**0.5)
