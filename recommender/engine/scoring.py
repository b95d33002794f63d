"""The score of a track: the sum of its named terms.

    mood      1 - d²/2, with d the Mahalanobis distance to the mood's Gaussian: the log-likelihood
              plus a constant, so that a track at the expected squared distance scores zero
    taste     log-likelihood ratio of the sound under the person's taste (engine.taste)
    affinity  inner product of the person's collaborative vector with the track's (engine.als)
    together  co-saves with the person's saved tracks (engine.item_similarity)
    popular   popularity minus that of an average track, zero if unknown; fades as the person
              saves tracks
    trend     recent saves by everybody, older ones counting less
    liked     whether the person said that they like the genre or language; fades like `popular`
    fresh     one for a track released today, halved after every half-life
    library   one for a track of the person's own music, whatever Spotify says about it, and what it
              lacks because nothing is learned from it (`lift_own`)
    recommended
              one for a track that ReccoBeats recommended to go with it
    again     penalty for being shown to this person recently without being saved

A term without data is zero, so a positive term is a reason for a track. `Weights` scale the terms,
and the scaled terms are logged. The weights here are priors; `engine.weight_learning` fits them to
the log once it's large enough.
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
# A mood's standard deviation is at least this; audio features are no more exact.
LEAST_SD = 0.05


@dataclass(frozen=True)
class Candidates:
    """Data of n tracks; one row each."""

    mood_points: FloatArray
    """(n, 2): valence, energy."""
    content: FloatArray
    """(n, 10): from `content.standardise`."""
    popularity: FloatArray
    """(n,) in [0, 1]; NaN where unknown."""
    together: FloatArray
    """(n,) >= 0: summed item-item similarity to the person's saved tracks."""
    shown_lately: NDArray[np.int64]
    """(n,): how often shown to this person recently without being saved."""
    affinity: FloatArray | None = None
    """(n,): inner products with the person's vector; None without factors."""
    recent_saves: FloatArray | None = None
    """(n,) >= 0: saves, each weighing less with time."""
    days_out: FloatArray | None = None
    """(n,): days since release; NaN where unknown."""
    liked: FloatArray | None = None
    """(n,) in [0, 2]: how many of genre and language the person said they like."""
    library: FloatArray | None = None
    """(n,): 1 for tracks of the person's own music, else 0."""
    recommended: FloatArray | None = None
    """(n,): 1 for tracks recommended to go with the person's own music, else 0."""


@dataclass(frozen=True)
class Weights:
    """Weights of the terms. The defaults are priors.

    Those of taste, affinity and together were fitted by engine.evaluation.blend on data held out of
    the training part of 4,384 public playlists; the others were set by judgement.
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
    library: float = 0.75
    recommended: float = 0.5


TERMS = tuple(field.name for field in fields(Weights))
"""The names of the terms, in the order of the weights."""


def precision(mood: Gaussian) -> FloatArray:
    """Return the inverse (2, 2) of the mood's covariance, widened to at least LEAST_SD."""
    values, axes = np.linalg.eigh(mood.covariance)
    inverse: FloatArray = (axes / np.maximum(values, LEAST_SD**2)) @ axes.T
    return inverse


def mood_terms(points: FloatArray, mood: Gaussian) -> FloatArray:
    """Return 1 - d²/2 (n,) of points (n, 2) for the mood, widened to at least LEAST_SD."""
    values, axes = np.linalg.eigh(mood.covariance)
    along = (points - mood.mean) @ axes
    squared: FloatArray = np.sum(along**2 / np.maximum(values, LEAST_SD**2), axis=1)
    return 1.0 - 0.5 * squared


def popularity_terms(popularity: FloatArray) -> FloatArray:
    """Return popularity (n,) in [0, 1] minus the average; zero if unknown."""
    difference: FloatArray = np.nan_to_num(popularity - AVERAGE_POPULARITY, nan=0.0)
    return difference


def newcomer_share(n_choices: int) -> float:
    """Return the weight of popularity after so many choices: 1 at none, 0.5 at KNOWN_AFTER."""
    return KNOWN_AFTER / (KNOWN_AFTER + n_choices)


def trend_terms(recent_saves: FloatArray) -> FloatArray:
    """Return log(1 + recent saves) (n,)."""
    trend: FloatArray = np.log1p(recent_saves)
    return trend


def fresh_terms(days_out: FloatArray) -> FloatArray:
    """Return freshness (n,): 1 if released today, 0.5 after FRESH_HALF_LIFE, 0 if unknown."""
    fresh: FloatArray = 0.5 ** (np.maximum(days_out, 0.0) / FRESH_HALF_LIFE)
    return np.nan_to_num(fresh, nan=0.0)


def plain_terms(candidates: Candidates, *, mood: Gaussian, taste: Taste) -> dict[str, FloatArray]:
    """Return the unweighted terms by name, each (n,)."""
    zeros = np.zeros(len(candidates.together))
    known = candidates
    return {
        "mood": mood_terms(known.mood_points, mood),
        "taste": taste_scores(known.content, taste),
        "affinity": zeros if known.affinity is None else known.affinity,
        "together": together_scores(known.together),
        "popular": newcomer_share(taste.n_choices) * popularity_terms(known.popularity),
        "trend": zeros if known.recent_saves is None else trend_terms(known.recent_saves),
        "fresh": zeros if known.days_out is None else fresh_terms(known.days_out),
        "liked": zeros if known.liked is None else newcomer_share(taste.n_choices) * known.liked,
        "again": -np.log1p(known.shown_lately),
        "library": zeros if known.library is None else known.library,
        "recommended": zeros if known.recommended is None else known.recommended,
    }


def score_terms(
    candidates: Candidates, *, mood: Gaussian, taste: Taste, weights: Weights
) -> dict[str, FloatArray]:
    """Return the weighted terms by name, each (n,)."""
    plain = plain_terms(candidates, mood=mood, taste=taste)
    return {name: getattr(weights, name) * values for name, values in plain.items()}


def lift_own(terms: Mapping[str, FloatArray], candidates: Candidates, n: int) -> None:
    """Lift tracks of the person's own until about half of the best `n` are theirs.

    Nothing is learned from private tracks, so that affinity, co-saves and trend are zero for them.
    Without the lift they would sink the more, the more the person saves. It adds at most what the
    best others have from these terms, so that no track that doesn't fit the mood comes up.
    """
    if candidates.library is None or candidates.recommended is None:
        return
    own = candidates.library + candidates.recommended > 0
    if own.all() or not own.any():
        return
    scores, learned = total(terms), terms["affinity"] + terms["together"] + terms["trend"]
    best = np.argsort(-scores[~own])[:n]
    half = min(n // 2, int(own.sum()) - 1, len(best) - 1)
    behind = scores[~own][best[half]] - np.sort(scores[own])[::-1][half]
    lift = min(max(float(behind), 0.0), max(float(learned[~own][best].mean()), 0.0))
    terms["library"][:] += lift * candidates.library
    terms["recommended"][:] += lift * candidates.recommended


def total(terms: Mapping[str, FloatArray]) -> FloatArray:
    """Return the scores (n,): the sum of the terms."""
    scores: FloatArray = np.sum(np.stack(list(terms.values())), axis=0)
    return scores
