"""How far what a model says has moved from what it said before."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.types import Float64Array

BINS = 10
"""Equally wide bins of confidence."""


@dataclass(frozen=True)
class Drift:
    """The population stability index, and what it is on average where nothing moved.

    By a rule of thumb of credit scoring, below 0.1 is stable and above 0.25 has moved; the latter
    says little where chance alone gives as much.
    """

    psi: float
    by_chance: float


def drift(before: Iterable[str], now: Iterable[str]) -> Drift | None:
    """Return the drift between two samples of classes; None if one of them is empty.

    Half a case is added to each class, so that one that is missing doesn't count as infinitely far.
    Of n and m cases in k classes the index is (k - 1)(1/n + 1/m) by chance (Yurdakul 2018,
    "Statistical properties of population stability index").
    """
    was, is_ = Counter(before), Counter(now)
    n, m = was.total(), is_.total()
    if not n or not m:
        return None
    classes = sorted({*was, *is_})
    p, q = _shares(was, classes), _shares(is_, classes)
    chance = (len(classes) - 1) * (1 / n + 1 / m)
    return Drift(float(((q - p) * np.log(q / p)).sum()), chance)


def binned(confidences: Iterable[float]) -> list[str]:
    """Return each confidence's bin, as a class for `drift`."""
    return [str(min(int(one * BINS), BINS - 1)) for one in confidences]


def _shares(counted: Counter[str], classes: Sequence[str]) -> Float64Array:
    counts = np.array([counted[name] + 0.5 for name in classes], np.float64)
    shares: Float64Array = counts / counts.sum()
    return shares
