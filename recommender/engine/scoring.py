"""The score of a track: the sum of its named terms.

    mood      1 - d²/2, with d the Mahalanobis distance to the mood's Gaussian: its
              log-likelihood but for a constant, chosen so that a track as near as the average
              draw from that Gaussian gets zero
    taste     log-likelihood ratio of the sound under the person's taste (engine.taste)
    affinity  inner product of the person's collaborative vector with the track's (engine.als)
    together  co-saves with what the person saved, from everybody's choices (engine.item_similarity)
    popular   popularity less that of an average track, where unknown counts as average; it
              speaks loudest for newcomers and gives way to what a person saves
    trend     how much it is saved lately, older saves counting less
    liked     the genre or the language is one that the person named; for newcomers, as above
    fresh     one for a track released today, half of that after every half-life
    again     penalty for having been shown to this person lately without being saved

Every term is zero where it knows nothing, so a positive term is a reason and a negative one is
not. `Weights` scale the terms; what is logged is the scaled terms. The weights here are priors:
`engine.weight_learning` fits them to the log of what was shown and chosen once it is large enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ml.mood import Gaussian
from recommender.engine.item_similarity import together_scores
from recommender.engine.taste import Taste, taste_scores
from recommender.engine.tracks.content import FloatArray

MODEL_VERSION = "hybrid-2"
AVERAGE_POPULARITY = 0.4
KNOWN_AFTER = 3
# Of new releases, in days.
FRESH_HALF_LIFE = 120.0
# The narrowest mood taken at its word: features themselves are no more exact than this.
LEAST_SD = 0.05


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
    affinity: FloatArray | None = None
    """(n,): inner products with the person's vector; none while there are no factors."""
    recent_saves: FloatArray | None = None
    """(n,) >= 0: saves, each weighing less with time."""
    days_out: FloatArray | None = None
    """(n,): days since release; NaN where unknown."""
    liked: FloatArray | None = None
    """(n,) in [0, 2]: how many of genre and language are among those that the person named."""


@dataclass(frozen=True)
class Weights:
    """How much a unit of each term counts: priors until choices say better.

    Of taste, affinity and together as fitted by engine.evaluation.blend to what was held out of the
    training part of 4,384 public playlists; the others are judged.
    """

    mood: float = 1.0
    taste: float = 0.15
    affinity: float = 3.8
    together: float = 1.6
    popular: float = 2.0
    trend: float = 0.2
    fresh: float = 0.2
    liked: float = 0.5
    again: float = 0.3


TERMS = tuple(field.name for field in fields(Weights))
"""The names of the terms, in the order of the weights."""


def precision(mood: Gaussian) -> FloatArray:
    """The inverse (2, 2) of the mood's covariance, widened to LEAST_SD at least."""
    values, axes = np.linalg.eigh(mood.covariance)
    inverse: FloatArray = (axes / np.maximum(values, LEAST_SD**2)) @ axes.T
    return inverse


def mood_terms(points: FloatArray, mood: Gaussian) -> FloatArray:
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


def trend_terms(recent_saves: FloatArray) -> FloatArray:
    """The logarithm (n,) of one more than the recent saves (n,) >= 0."""
    trend: FloatArray = np.log1p(recent_saves)
    return trend


def fresh_terms(days_out: FloatArray) -> FloatArray:
    """One (n,) for a release of today, half after FRESH_HALF_LIFE; zero where unknown."""
    fresh: FloatArray = 0.5 ** (np.maximum(days_out, 0.0) / FRESH_HALF_LIFE)
    return np.nan_to_num(fresh, nan=0.0)


def plain_terms(candidates: Candidates, *, mood: Gaussian, taste: Taste) -> dict[str, FloatArray]:
    """The terms by name, each (n,), before any weight."""
    nothing = np.zeros(len(candidates.together))
    known = candidates
    return {
        "mood": mood_terms(known.mood_points, mood),
        "taste": taste_scores(known.content, taste),
        "affinity": nothing if known.affinity is None else known.affinity,
        "together": together_scores(known.together),
        "popular": newcomer_share(taste.n_choices) * popularity_terms(known.popularity),
        "trend": nothing if known.recent_saves is None else trend_terms(known.recent_saves),
        "fresh": nothing if known.days_out is None else fresh_terms(known.days_out),
        "liked": nothing if known.liked is None else newcomer_share(taste.n_choices) * known.liked,
        "again": -np.log1p(known.shown_lately),
    }


def score_terms(
    candidates: Candidates, *, mood: Gaussian, taste: Taste, weights: Weights
) -> dict[str, FloatArray]:
    """The scaled terms by name, each (n,)."""
    plain = plain_terms(candidates, mood=mood, taste=taste)
    return {name: getattr(weights, name) * values for name, values in plain.items()}


def total(terms: Mapping[str, FloatArray]) -> FloatArray:
    """The scores (n,): the terms added up."""
    scores: FloatArray = np.sum(np.stack(list(terms.values())), axis=0)
    return scores
