"""Item-item nearest neighbours from everybody's choices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine.together import UNSURE


def scores(choices: Any) -> NDArray[np.float32]:
    """Summed similarity (n_people, n_items), as together.similarity has it, of every item to what
    each person has of the CSR matrix `choices`, the item itself left out."""
    from scipy import sparse

    counts = np.asarray(choices.sum(axis=0)).ravel()
    scaled = choices @ sparse.diags((counts + UNSURE) ** -0.5)
    alike: NDArray[np.float32] = (scaled.T @ scaled).astype(np.float32).toarray()
    np.fill_diagonal(alike, 0.0)
    summed: NDArray[np.float32] = choices @ alike
    return summed
