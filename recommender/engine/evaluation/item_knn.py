"""Item-item nearest neighbours from everybody's choices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine.item_similarity import UNSURE


def scores(choices: Any) -> NDArray[np.float32]:
    """Summed similarity (n_people, n_items), as together.similarity has it, of every item to what
    each person has of the CSR matrix `choices`, the item itself left out."""
    from scipy import sparse

    counts = np.asarray(choices.sum(axis=0)).ravel()
    scale = (counts + UNSURE) ** -0.5
    # Over people first, (n_people, n_people), which is far smaller than over items.
    alike = (choices @ sparse.diags(scale) @ choices.T).astype(np.float32).toarray()
    summed: NDArray[np.float32] = np.ascontiguousarray((choices.T @ alike).T)
    summed *= scale.astype(np.float32)
    own = choices.tocoo()
    summed[own.row, own.col] -= (counts * scale**2)[own.col]
    return summed
