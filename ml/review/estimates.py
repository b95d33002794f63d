"""Shares with their 95 % intervals, from samples that may be clustered and unevenly drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.types import Float64Array

Z = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval, and the number of answers that it comes from."""

    share: float
    low: float
    high: float
    n: int


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share observed in n cases (Wilson 1927)."""
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * (share * (1 - share) / n + Z * Z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def estimate(
    right: Sequence[bool],
    inclusion: Sequence[float] | None = None,
    clusters: Sequence[object] | None = None,
) -> Estimate | None:
    """Return the share of true answers among all that could have been drawn; None of nothing.

    `inclusion` is the probability with which each was drawn (Hájek 1971); `clusters` says which
    belong together, such as the faces of one photo. The interval is Wilson's at the effective
    sample size (Korn and Graubard 1998): plain Wilson if all weigh the same and stand alone.
    """
    if not len(right):
        return None
    true = np.asarray(right, np.float64)
    weights = np.ones(len(true)) if inclusion is None else 1 / np.asarray(inclusion, np.float64)
    share = float(weights @ true / weights.sum())
    low, high = wilson(share, _effective_size(true, weights, clusters, share))
    return Estimate(share, low, high, len(true))


def corrected(agreed: Estimate, reviewer: Estimate, classes: int) -> Estimate | None:
    """Return the model's accuracy from its agreement with reviewers who slip now and then.

    `reviewer` is their accuracy on known answers; slips are assumed to spread evenly over the other
    classes. Rogan and Gladen 1978, with the interval of Zou and Donner 2008 (MOVER). None if the
    reviewers are no better than chance, or agree with the model more often than they can be right:
    then their slips depend on what the model showed them.
    """

    def accuracy(agreement: float, skill: float) -> float:
        chance = (1 - skill) / (classes - 1)
        return (agreement - chance) / (skill - chance)

    if reviewer.low <= 1 / classes or agreed.share > reviewer.high:
        return None
    q, r = agreed.share, reviewer.share
    share = accuracy(q, r)
    below = np.hypot(share - accuracy(agreed.low, r), share - accuracy(q, reviewer.high))
    above = np.hypot(accuracy(agreed.high, r) - share, accuracy(q, reviewer.low) - share)
    share, low, high = np.clip([share, share - below, share + above], 0, 1).tolist()
    return Estimate(share, low, high, agreed.n)


def _effective_size(
    true: Float64Array, weights: Float64Array, clusters: Sequence[object] | None, share: float
) -> float:
    """The number of independent, evenly drawn answers that would say as much."""
    ids = {name: at for at, name in enumerate(dict.fromkeys(clusters or range(len(true))))}
    places = [ids[name] for name in (clusters or range(len(true)))]
    sums = np.bincount(places, weights)
    most = float(sums.sum() ** 2 / (sums @ sums))  # Kish 1965
    if share in (0.0, 1.0):
        return most
    apart = np.bincount(places, weights * (true - share))
    variance = float(apart @ apart) / weights.sum() ** 2
    return min(share * (1 - share) / variance, len(true)) if variance else most
