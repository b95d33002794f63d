"""Weights of the terms, learned from the lists that were shown and the track chosen from each.

A person who chooses one track of a list has looked at each place with a chance that falls with
its rank, and among what was looked at prefers the higher score:

    P(choice = i) ∝ rank_i^(-position_bias) · exp(Σ weight_t · term_t(i))

which is a conditional logit (McFadden 1974) with a position effect, as in the position-based
click model (Craswell et al. 2008). Because part of every list is drawn by chance, score and rank
are not the same thing, and both can be told apart. `position_bias` and the weights are fitted
together; the weights start from their priors and leave them only as far as the choices ask for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.scoring import TERMS, Weights
from recommender.engine.tracks.content import FloatArray

LEAST_LISTS = 200
"""With fewer lists that led to a choice, the priors stay."""
LEAST_SHARE = 0.02
# How far a weight is thought to lie from its prior, as a share of it: a standard deviation.
_PRIOR_SD = 0.5
_POSITION_BIAS_PRIOR, _POSITION_BIAS_SD = 0.5, 0.5


@dataclass(frozen=True)
class Impressions:
    """Tracks as they were shown, n in all; only lists with exactly one choice teach."""

    terms: FloatArray
    """(n, len(TERMS)): the plain terms, that is, divided by the weights of their day."""
    lists: NDArray[np.int64]
    """(n,): which list the track stood in."""
    ranks: NDArray[np.int64]
    """(n,): from 1."""
    chosen: NDArray[np.bool_]
    """(n,)."""


@dataclass(frozen=True)
class Learned:
    """What the log says."""

    weights: Weights
    position_bias: float
    """How fast attention falls with the rank: its share is rank^(-position_bias)."""
    n_lists: int
    is_fitted: bool = False
    """False where there were too few lists: then these are the priors."""


def fit_weights(
    log: Impressions, prior: Weights | None = None, *, least_lists: int = LEAST_LISTS
) -> Learned:
    """The most probable weights; the priors where there are too few lists.

    None falls below LEAST_SHARE of its prior: a term that counts for nothing could not be seen to
    matter again, because the log holds scaled terms.
    """
    from scipy.optimize import minimize

    before = np.array([getattr(prior or Weights(), name) for name in TERMS])
    numbers, lists = np.unique(log.lists, return_inverse=True)
    choices = np.bincount(lists, weights=log.chosen, minlength=len(numbers))
    n_lists = int(np.sum(choices == 1))
    if n_lists < least_lists:
        return Learned(prior or Weights(), _POSITION_BIAS_PRIOR, n_lists)
    kept = choices[lists] == 1
    design = np.column_stack([log.terms, -np.log(log.ranks)])[kept]
    group = np.unique(lists[kept], return_inverse=True)[1]
    centre = np.append(before, _POSITION_BIAS_PRIOR)
    spread = np.append(np.maximum(before, 1e-3) * _PRIOR_SD, _POSITION_BIAS_SD)
    found = minimize(
        _loss,
        centre,
        args=(design, group, log.chosen[kept], np.stack([centre, spread])),
        jac=True,
        method="L-BFGS-B",
        bounds=[*((LEAST_SHARE * weight, None) for weight in before), (0.0, None)],
    ).x
    weights = Weights(**dict(zip(TERMS, map(float, found), strict=False)))
    return Learned(weights, float(found[-1]), n_lists, is_fitted=True)


def _loss(
    at: FloatArray,
    design: FloatArray,
    group: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    prior: FloatArray,
) -> tuple[float, FloatArray]:
    """Negative log posterior and its gradient; `prior` holds means and standard deviations."""
    utility = design @ at
    highest = np.full(group.max() + 1, -np.inf)
    np.maximum.at(highest, group, utility)
    mass = np.exp(utility - highest[group])
    sums = np.bincount(group, weights=mass)
    surprise = np.sum(np.log(sums) + highest) - np.sum(utility[chosen])
    away = (at - prior[0]) / prior[1]
    gradient = design.T @ (mass / sums[group] - chosen) + away / prior[1]
    return float(surprise + 0.5 * np.sum(away**2)), gradient
