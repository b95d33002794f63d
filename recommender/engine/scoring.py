"""One readable sum: the score of a track is the sum of its named terms.

    mood      1 - d²/2, with d the Mahalanobis distance to the mood's Gaussian: its
              log-likelihood but for a constant, chosen so that a track as near as the average
              draw from that Gaussian gets zero
    taste     log-likelihood ratio of the sound under the person's taste (engine.taste)
    together  co-saves with what the person saved, from everybody's choices (engine.together)
    popular   popularity less that of an average track, where unknown counts as average; it
              speaks loudest for newcomers and gives way to what a person saves
    again     penalty for having been shown to this person lately without being saved

Every term is zero where it knows nothing, so a positive term is a reason and a negative one is
not. `Weights` scale the terms; what is logged is the scaled terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.content import FloatArray
from recommender.engine.taste import Taste, taste_scores
from recommender.engine.together import together_scores

MODEL_VERSION = "hybrid-1"
AVERAGE_POPULARITY = 0.4
KNOWN_AFTER = 3
# The narrowest mood taken at its word: features themselves are no more exact than this.
LEAST_SD = 0.05


@dataclass(frozen=True)
class Mood:
    """A Gaussian over (valence, energy), both in [0, 1]: mean (2,), covariance (2, 2)."""

    mean: FloatArray
    covariance: FloatArray


@dataclass(frozen=True)
class Candidates:
    """What is known of n tracks, row by row."""

    mood_points: FloatArray
    """(n, 2): valence, energy."""
    content: FloatArray
    """(n, 10): from `content.standardise`."""
    popularity: FloatArray
    """(n,) in [0, 1]; NaN where unknown."""
    together: FloatArray
    """(n,) >= 0: summed item-item similarity to the person's saved tracks."""
    shown_lately: NDArray[np.int64]
    """(n,): how often shown to this person lately without being saved."""


@dataclass(frozen=True)
class Weights:
    """How much a unit of each term counts; taste and together as fitted with their constants."""

    mood: float = 1.0
    taste: float = 0.15
    together: float = 1.5
    popular: float = 2.0
    again: float = 0.3


def mood_terms(points: FloatArray, mood: Mood) -> FloatArray:
    """1 - d²/2 (n,) of points (n, 2) under the mood's Gaussian, widened to LEAST_SD at least."""
    values, axes = np.linalg.eigh(mood.covariance)
    along = (points - mood.mean) @ axes
    squared: FloatArray = np.sum(along**2 / np.maximum(values, LEAST_SD**2), axis=1)
    return 1.0 - 0.5 * squared


def popularity_terms(popularity: FloatArray) -> FloatArray:
    """Popularity (n,) in [0, 1] around the average one; zero where unknown."""
    around: FloatArray = np.nan_to_num(popularity - AVERAGE_POPULARITY, nan=0.0)
    return around


def newcomer_share(n_choices: int) -> float:
    """How much popularity still counts after so many choices: 1 at none, a half at KNOWN_AFTER."""
    return KNOWN_AFTER / (KNOWN_AFTER + n_choices)


def score_terms(
    candidates: Candidates, *, mood: Mood, taste: Taste, weights: Weights
) -> dict[str, FloatArray]:
    """The scaled terms by name, each (n,)."""
    return {
        "mood": weights.mood * mood_terms(candidates.mood_points, mood),
        "taste": weights.taste * taste_scores(candidates.content, taste),
        "together": weights.together * together_scores(candidates.together),
        "popular": weights.popular
        * newcomer_share(taste.n_choices)
        * popularity_terms(candidates.popularity),
        "again": -weights.again * np.log1p(candidates.shown_lately),
    }


def total(terms: Mapping[str, FloatArray]) -> FloatArray:
    """The scores (n,): the terms added up."""
    scores: FloatArray = np.sum(np.stack(list(terms.values())), axis=0)
    return scores
