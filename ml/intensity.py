"""Intensity of actions: survey responses on top of a prior from the compendium.

Every action has a Dirichlet distribution over low, medium and high. Its prior is
worth a few responses around the level of the action's metabolic equivalent (Ainsworth et al. 2011);
responses update it by counting (the Dirichlet is conjugate to the categorical distribution).
"""

from collections.abc import Mapping

import numpy as np

from ml.labels import ACTION_INTENSITY, ACTIONS, INTENSITIES
from ml.mood import normalised

PRIOR_RESPONSES = 6.0
"""Weight of the compendium in responses: six people who disagree with it balance it."""

PRIOR_SHARES = {0: 0.85, 1: 0.13, 2: 0.02}
"""Share of that weight by distance from the compendium's level; equally distant levels split it."""

Levels = Mapping[str, Mapping[str, float]]
"""Shares of INTENSITIES by action; the shares of an action sum to one."""


def levels(responses: Mapping[str, Mapping[str, int]] | None = None) -> dict[str, dict[str, float]]:
    """Return the posterior mean of every action from counts {action: {level: people}}.

    Raises ValueError for an unknown action or level, or a negative count.
    """
    counts = responses or {}
    if unknown := set(counts) - set(ACTIONS):
        raise ValueError(f"unknown actions: {', '.join(sorted(unknown))}")
    return {action: _posterior(action, counts.get(action, {})) for action in ACTIONS}


def intensity_of(action: Mapping[str, float], known: Levels | None = None) -> dict[str, float]:
    """Return the shares of INTENSITIES, the actions' levels weighted by their probabilities.

    `known` are the levels after responses, by default the prior's. An empty or all-zero `action`
    gives no shares. Raises ValueError for an unknown action or a negative weight.
    """
    by_action = known or PRIOR_LEVELS
    weights = normalised(action, by_action)
    return {
        level: sum(weight * by_action[name][level] for name, weight in weights.items())
        for level in INTENSITIES
        if weights
    }


def expected(shares: Mapping[str, float]) -> tuple[float, float]:
    """Return the mean and the standard deviation of the intensity, from 0 (low) to 1 (high).

    `shares` of INTENSITIES sum to one, as `intensity_of` gives them.
    """
    places = np.linspace(0, 1, len(INTENSITIES))
    weights = np.array([shares[level] for level in INTENSITIES])
    mean = float(weights @ places)
    return mean, float(np.sqrt(weights @ (places - mean) ** 2))


def _posterior(action: str, counts: Mapping[str, int]) -> dict[str, float]:
    if unknown := set(counts) - set(INTENSITIES):
        raise ValueError(f"unknown levels: {', '.join(sorted(unknown))}")
    observed = np.array([counts.get(level, 0) for level in INTENSITIES], dtype=np.float64)
    if (observed < 0).any():
        raise ValueError("counts can't be negative")
    belief = PRIOR_RESPONSES * _prior(ACTION_INTENSITY[action]) + observed
    shares = belief / belief.sum()
    return {level: float(share) for level, share in zip(INTENSITIES, shares, strict=True)}


def _prior(level: str) -> np.ndarray:
    place = INTENSITIES.index(level)
    shares = np.array([PRIOR_SHARES[abs(k - place)] for k in range(len(INTENSITIES))])
    return np.asarray(shares / shares.sum())


PRIOR_LEVELS: Levels = levels()
"""The levels before any response."""
