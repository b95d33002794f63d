"""Item-item similarity from co-saves, and its term in the score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from recommender.engine.tracks.content import FloatArray

# Added to both counts, because a single co-save is weak evidence. UNSURE and LITTLE were fitted on
# every fifth of 4,384 playlists, which the reported figures don't include.
UNSURE = 5.0
# A summed similarity of this size hardly differs from none.
LITTLE = 0.03


def similarity(together: ArrayLike, n_first: ArrayLike, n_second: ArrayLike) -> FloatArray:
    """Smoothed cosine similarity in [0, 1): c / sqrt((n1 + UNSURE)(n2 + UNSURE)).

    `together` is the number of people who saved both; `n_first` and `n_second` count those who
    saved each.
    """
    first = np.asarray(n_first, dtype=np.float64) + UNSURE
    second = np.asarray(n_second, dtype=np.float64) + UNSURE
    cosine: FloatArray = np.asarray(together, dtype=np.float64) / np.sqrt(first * second)
    return cosine


def together_scores(summed: FloatArray) -> FloatArray:
    """Return log(1 + sum / LITTLE) of summed similarities (n,) >= 0."""
    scores: FloatArray = np.log1p(summed / LITTLE)
    return scores
