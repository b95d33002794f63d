"""Vectors of tracks and queries whose inner product is the stable part of the score.

Both have the same layout:

    factors          the collaborative vector
    popular, trend,
    fresh            one number each, as in `engine.scoring`
    content (10)     and its squares (10): the taste's term is a quadratic in the content

The inner product is the sum of affinity, popular, trend, fresh and taste, up to a constant that is
the same for every track. The mood, and terms that change from one request to the next (co-saves,
likes, repeats), aren't included.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.engine.scoring import (
    Weights,
    fresh_terms,
    newcomer_share,
    popularity_terms,
    trend_terms,
)
from recommender.engine.taste import Taste, taste_as_quadratic
from recommender.engine.tracks.content import N_FEATURES, FloatArray

Vectors = NDArray[np.float32]

# What one unit of a column typically adds to a score. Track vectors are multiplied by it and query
# vectors divided, so that tracks with similar scores are close to each other.
_USUAL = np.array([1.0, 0.2, 0.2, *[0.08] * N_FEATURES, *[0.02] * N_FEATURES])
N_KNOWN = len(_USUAL)
"""How many numbers follow the factors."""


def known_of(
    *,
    popularity: FloatArray,
    recent_saves: FloatArray,
    days_out: FloatArray,
    content: FloatArray,
) -> Vectors:
    """Return the columns (n, N_KNOWN) that follow the factors in track vectors.

    Takes popularity in [0, 1], recent saves >= 0 and days since release, each (n,) and NaN if
    unknown, and content vectors (n, 10).
    """
    numbers = (popularity_terms(popularity), trend_terms(recent_saves), fresh_terms(days_out))
    known: Vectors = (np.column_stack([*numbers, content, content**2]) * _USUAL).astype(np.float32)
    return known


def query(factor: Vectors, taste: Taste, weights: Weights) -> Vectors:
    """Return the query (n_factors + N_KNOWN,) for a person's vector (n_factors,) and taste."""
    linear, squared = taste_as_quadratic(taste)
    popular = weights.popular * newcomer_share(taste.n_choices)
    known = np.array(
        [popular, weights.trend, weights.fresh, *weights.taste * linear, *weights.taste * squared]
    )
    wanted: Vectors = np.concatenate([weights.affinity * factor, known / _USUAL])
    return wanted.astype(np.float32)


def affinity_alone(factor: Vectors) -> Vectors:
    """Return the query (n_factors + N_KNOWN,) that yields only the inner product of factors."""
    return np.append(factor, np.zeros(N_KNOWN, dtype=np.float32))
