"""Item-item nearest neighbours from interactions, without a sparse-matrix library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.engine.content import FloatArray
from recommender.engine.offline.data import IntArray
from recommender.engine.together import similarity

N_NEIGHBOURS = 500


@dataclass(frozen=True)
class Neighbours:
    """Every item's most similar items, (n_items, k) each."""

    items: NDArray[np.int32]
    likeness: NDArray[np.float32]

    def scores(self, saved: IntArray) -> FloatArray:
        """Summed similarity (n_items,) of every item to the saved ones."""
        scores: FloatArray = np.bincount(
            self.items[saved].ravel(),
            weights=self.likeness[saved].ravel(),
            minlength=len(self.items),
        ).astype(np.float64)
        return scores


def fit(users: IntArray, items: IntArray, n_items: int, k: int = N_NEIGHBOURS) -> Neighbours:
    """Count who has what together; memory is that of the result, (n_items, k) twice."""
    k = min(k, n_items)
    counts = np.bincount(items, minlength=n_items)
    by_item = items.argsort(kind="stable")
    item_bounds = np.concatenate([[0], np.cumsum(counts)])
    user_bounds = np.searchsorted(users, np.arange(users.max() + 2))
    nearest = np.zeros((n_items, k), dtype=np.int32)
    likeness = np.zeros((n_items, k), dtype=np.float32)
    for item in np.flatnonzero(counts):
        fans = users[by_item[item_bounds[item] : item_bounds[item + 1]]]
        theirs = np.concatenate([items[user_bounds[u] : user_bounds[u + 1]] for u in fans])
        both = np.bincount(theirs, minlength=n_items)
        both[item] = 0
        alike = similarity(both, counts[item], counts)
        best = np.argpartition(-alike, k - 1)[:k]
        nearest[item], likeness[item] = best, alike[best]
    return Neighbours(nearest, likeness)
