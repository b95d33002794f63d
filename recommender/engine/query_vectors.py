"""All of a score but the mood and per-request terms, as one inner product of two vectors.

A track's vector and a query's are laid out alike:

    factors          the collaborative vector
    popular, trend,
    fresh            one number each, as in `engine.scoring`
    content (10)     and its squares (10): the taste's term is a quadratic in the content

so that `track_vectors(...) @ query(...)` is the sum of affinity, popular, trend, fresh and taste
but for a constant that is the same for every track. Terms that change from one request to the next
(co-saves, likes, repeats) are not in it.
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

# What one unit of a column adds to a usual score. The track's side is measured in it, and the
# query's side makes up for it, so that tracks are near each other where their scores are alike.
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
    """What follows the factors in the vectors (n, N_KNOWN) of n tracks.

    Of popularity in [0, 1], saves >= 0, days since release, NaN where unknown, each (n,), and
    content vectors (n, 10).
    """
    numbers = (popularity_terms(popularity), trend_terms(recent_saves), fresh_terms(days_out))
    known: Vectors = (np.column_stack([*numbers, content, content**2]) * _USUAL).astype(np.float32)
    return known


def query(factor: Vectors, taste: Taste, weights: Weights) -> Vectors:
    """The query (n_factors + N_KNOWN,) of a person with this vector (n_factors,) and taste."""
    linear, squared = taste_as_quadratic(taste)
    popular = weights.popular * newcomer_share(taste.n_choices)
    known = np.array(
        [popular, weights.trend, weights.fresh, *weights.taste * linear, *weights.taste * squared]
    )
    wanted: Vectors = np.concatenate([weights.affinity * factor, known / _USUAL])
    return wanted.astype(np.float32)


def affinity_alone(factor: Vectors) -> Vectors:
    """The query (n_factors + N_KNOWN,) for nothing but the inner product with this vector."""
    return np.append(factor, np.zeros(N_KNOWN, dtype=np.float32))
