"""Item-item nearest neighbours on co-occurrence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine.item_similarity import UNSURE


def scores(choices: Any) -> NDArray[np.float32]:
    """Summed `item_similarity.similarity` (n_people, n_items) of every item to a person's others.

    `choices` is a CSR matrix (n_people, n_items).
    """
    from scipy import sparse

    counts = np.asarray(choices.sum(axis=0)).ravel()
    scale = (counts + UNSURE) ** -0.5
    # The (n_people, n_people) product is far smaller than the one over items.
    alike = (choices @ sparse.diags(scale) @ choices.T).astype(np.float32).toarray()
    summed: NDArray[np.float32] = np.ascontiguousarray((choices.T @ alike).T)
    summed *= scale.astype(np.float32)
    own = choices.tocoo()
    summed[own.row, own.col] -= (counts * scale**2)[own.col]
    return summed
