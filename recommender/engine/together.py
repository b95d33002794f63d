"""Item-item similarity from who saved what."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from recommender.engine.content import FloatArray

# Two tracks that only a few people saved together are hardly shown to belong together.
SHRINK = 3.0


def similarity(together: ArrayLike, n_first: ArrayLike, n_second: ArrayLike) -> FloatArray:
    """Cosine similarity in [0, 1], shrunk: c / sqrt(n1 n2) · c / (c + SHRINK).

    `together` is the number of people who saved both, `n_first` and `n_second` (>= 1) those
    who saved each one.
    """
    both = np.asarray(together, dtype=np.float64)
    cosine = both / np.sqrt(
        np.asarray(n_first, dtype=np.float64) * np.asarray(n_second, dtype=np.float64)
    )
    shrunk: FloatArray = cosine * both / (both + SHRINK)
    return shrunk
