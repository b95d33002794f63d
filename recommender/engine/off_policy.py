"""How good another way of ranking would have been, from the log of the one that served.

Every shown track was logged with the probability that it was drawn at its place (engine.choose).
What another policy would have earned is estimated by counting each logged list as often as that
policy would have shown it: importance weighting. Lists are weighted up to each place by the
product of the ratios so far, as what is drawn later hangs on what came before (per-decision
importance sampling, Precup et al. 2000; for rankings McInerney et al. 2020, "Counterfactual
evaluation of slate recommendations with sequential reward interactions").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.engine.rerank import softmax
from recommender.engine.tracks.content import FloatArray


@dataclass(frozen=True)
class Estimate:
    """A mean reward of a list, and how far to trust it."""

    value: float
    standard_error: float
    effective_lists: float
    """As many lists shown by the policy itself would say as much (Kish 1965); the lowest of all
    places. Believe no estimate that rests on a few dozen."""


def ratios(logged: FloatArray, target: FloatArray) -> FloatArray:
    """Importance weights (n_lists, n_places) up to each place.

    `logged` and `target` (n_lists, n_places) are the chances of the track at its place given
    those before, under the policy that served and the one asked about. Raises ValueError where a
    logged chance is not in (0, 1].
    """
    if np.any(logged <= 0.0) or np.any(logged > 1.0):
        raise ValueError("Logged propensities must be probabilities above zero.")
    weights: FloatArray = np.cumprod(target / logged, axis=1, dtype=np.float64)
    return weights


def snips(rewards: FloatArray, weights: FloatArray) -> Estimate:
    """Self-normalised estimate (Swaminathan and Joachims 2015) of the reward of a list.

    `rewards` (n_lists, n_places): one where the track at that place was chosen; `weights` from
    `ratios`. Slightly biased with few lists, and far steadier than without normalising.
    """
    shares = weights / weights.sum(axis=0)
    means = np.sum(shares * rewards, axis=0)
    left = np.sum(shares * (rewards - means), axis=1)
    return Estimate(float(means.sum()), float(np.sqrt(np.sum(left**2))), _effective(weights))


def doubly_robust(
    rewards: FloatArray, weights: FloatArray, expected: FloatArray, expected_of_target: FloatArray
) -> Estimate:
    """Doubly robust estimate (Dudík et al. 2011; per place Jiang and Li 2016).

    `expected` (n_lists, n_places) is a model's reward of the track shown at the place, and
    `expected_of_target` the model's mean over the tracks that the target policy might draw there.
    Right on average if either the propensities or the model is; the better the model, the
    smaller the error.
    """
    before = np.column_stack([np.ones(len(weights)), weights[:, :-1]])
    before, after = before / before.mean(axis=0), weights / weights.mean(axis=0)
    totals = np.sum(before * expected_of_target + after * (rewards - expected), axis=1)
    error = float(np.std(totals, ddof=1) / np.sqrt(len(totals)))
    return Estimate(float(totals.mean()), error, _effective(weights))


def chances(scores: FloatArray, drawn: list[int], *, temperature: float) -> FloatArray:
    """The chance (len(drawn),) of each row drawn in this order under `scores` (n_tracks,).

    For a target policy that draws by score alone, without replacement.
    """
    is_open = np.ones(len(scores), dtype=np.bool_)
    told = []
    for row in drawn:
        rows = np.flatnonzero(is_open)
        told.append(softmax(scores[rows] / temperature)[np.searchsorted(rows, row)])
        is_open[row] = False
    return np.array(told)


def _effective(weights: FloatArray) -> float:
    return float(np.min(weights.sum(axis=0) ** 2 / np.sum(weights**2, axis=0)))
