"""Learn the weights of the score terms from the lists shown and the track chosen from each.

People look at a place with a probability that falls with its rank, and prefer the highest score
among the tracks that they looked at:

    P(choice = i) ∝ rank_i^(-position_bias) · exp(Σ weight_t · term_t(i))

This is a conditional logit (McFadden 1974) with a position effect, as in the position-based click
model (Craswell et al. 2008). Lists are partly random, so the effects of score and rank can be
separated. `position_bias` and the weights are fitted together by maximum a posteriori estimation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.scoring import TERMS, Weights
from recommender.engine.tracks.content import FloatArray

LEAST_LISTS = 200
"""With fewer lists that led to a choice, the priors apply."""
LEAST_SHARE = 0.02
# Standard deviation of a weight around its prior, as a share of the prior.
_PRIOR_SD = 0.5
_POSITION_BIAS_PRIOR, _POSITION_BIAS_SD = 0.5, 0.5


@dataclass(frozen=True)
class Impressions:
    """The n tracks that were shown; only lists with exactly one choice are used."""

    terms: FloatArray
    """(n, len(TERMS)): unweighted terms, that is, divided by the weights at that time."""
    lists: NDArray[np.int64]
    """(n,): identifies the list of each track."""
    ranks: NDArray[np.int64]
    """(n,): from 1."""
    chosen: NDArray[np.bool_]
    """(n,)."""


@dataclass(frozen=True)
class Learned:
    """Fitted weights."""

    weights: Weights
    position_bias: float
    """How fast attention falls with the rank: its share is rank^(-position_bias)."""
    n_lists: int
    is_fitted: bool = False
    """False if there were too few lists; the weights are then the priors."""


def fit_weights(
    log: Impressions, prior: Weights | None = None, *, least_lists: int = LEAST_LISTS
) -> Learned:
    """Return the most probable weights, or the priors if there are too few lists.

    No weight falls below LEAST_SHARE of its prior. The log holds weighted terms, so a weight of
    zero could never be learned again.
    """
    from scipy.optimize import minimize

    prior_weights = np.array([getattr(prior or Weights(), name) for name in TERMS])
    numbers, lists = np.unique(log.lists, return_inverse=True)
    choices = np.bincount(lists, weights=log.chosen, minlength=len(numbers))
    n_lists = int(np.sum(choices == 1))
    if n_lists < least_lists:
        return Learned(prior or Weights(), _POSITION_BIAS_PRIOR, n_lists)
    kept = choices[lists] == 1
    design = np.column_stack([log.terms, -np.log(log.ranks)])[kept]
    group = np.unique(lists[kept], return_inverse=True)[1]
    centre = np.append(prior_weights, _POSITION_BIAS_PRIOR)
    spread = np.append(np.maximum(prior_weights, 1e-3) * _PRIOR_SD, _POSITION_BIAS_SD)
    solution = minimize(
        _loss,
        centre,
        args=(design, group, log.chosen[kept], np.stack([centre, spread])),
        jac=True,
        method="L-BFGS-B",
        bounds=[*((LEAST_SHARE * weight, None) for weight in prior_weights), (0.0, None)],
    ).x
    weights = Weights(**dict(zip(TERMS, map(float, solution), strict=False)))
    return Learned(weights, float(solution[-1]), n_lists, is_fitted=True)


def _loss(
    at: FloatArray,
    design: FloatArray,
    group: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    prior: FloatArray,
) -> tuple[float, FloatArray]:
    """Return the negative log posterior and its gradient; `prior`: means, standard deviations."""
    utility = design @ at
    highest = np.full(group.max() + 1, -np.inf)
    np.maximum.at(highest, group, utility)
    mass = np.exp(utility - highest[group])
    sums = np.bincount(group, weights=mass)
    surprise = np.sum(np.log(sums) + highest) - np.sum(utility[chosen])
    away = (at - prior[0]) / prior[1]
    gradient = design.T @ (mass / sums[group] - chosen) + away / prior[1]
    return float(surprise + 0.5 * np.sum(away**2)), gradient
