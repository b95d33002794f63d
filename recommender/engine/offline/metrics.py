"""How good a list is, against all items and without sampling."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recommender.engine.content import FloatArray
from recommender.engine.offline.data import IntArray

CUTOFFS = (10, 50)


def ranks_of(scores: FloatArray, wanted: IntArray) -> IntArray:
    """Ranks from 1 (ascending) of the wanted items among scores (n_items,); -inf is not listed.

    An item that ties with others comes after all of them, so that a ranker gains nothing by
    scoring everything alike.
    """
    return np.sort(np.array([np.count_nonzero(scores >= score) for score in scores[wanted]]))


def of_one_list(ranks: IntArray) -> dict[str, float]:
    """Recall and NDCG at the cutoffs, and the reciprocal rank of the first wanted item."""
    metrics = {}
    for k in CUTOFFS:
        found = ranks[ranks <= k]
        ideal = np.sum(1.0 / np.log2(np.arange(1, min(k, len(ranks)) + 1) + 1.0))
        metrics[f"recall@{k}"] = len(found) / len(ranks)
        metrics[f"ndcg@{k}"] = float(np.sum(1.0 / np.log2(found + 1.0)) / ideal)
    metrics["mrr"] = 1.0 / float(ranks[0])
    return metrics


def mean(lists: Iterable[dict[str, float]]) -> dict[str, float]:
    """The mean over all users, rounded to four digits."""
    rows = list(lists)
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}
