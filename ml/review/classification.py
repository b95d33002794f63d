"""What a model said against what people answered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.types import Int64Array


@dataclass(frozen=True)
class ClassScore:
    """One class; precision is None if it was never predicted, recall and F1 if never true."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    n: int


def confusion(
    true: Sequence[str], predicted: Sequence[str], rows: Sequence[str], columns: Sequence[str]
) -> Int64Array:
    """Return (rows, columns) counts; rows are the true classes. Others aren't counted."""
    counted = Counter(zip(true, predicted, strict=True))
    return np.array([[counted[row, column] for column in columns] for row in rows], np.int64)


def class_scores(
    true: Sequence[str], predicted: Sequence[str], names: Sequence[str]
) -> list[ClassScore]:
    """Return precision, recall and F1 of every class."""
    actual, said = Counter(true), Counter(predicted)
    right = Counter(a for a, b in zip(true, predicted, strict=True) if a == b)
    return [
        ClassScore(
            name,
            right[name] / said[name] if said[name] else None,
            right[name] / actual[name] if actual[name] else None,
            2 * right[name] / (said[name] + actual[name]) if actual[name] else None,
            actual[name],
        )
        for name in names
    ]


def stability_index(before: Mapping[str, int], after: Mapping[str, int]) -> float | None:
    """Return the population stability index between counts of classes; None of nothing.

    Half a case is added to every class, so that an empty one doesn't make it infinite.
    """
    names = sorted({*before, *after})
    if not sum(before.values()) or not sum(after.values()):
        return None
    old, new = (np.array([side.get(name, 0) + 0.5 for name in names]) for side in (before, after))
    p, q = old / old.sum(), new / new.sum()
    return float((q - p) @ np.log(q / p))
