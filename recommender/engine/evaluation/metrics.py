"""Ranking metrics against all items, without sampling."""

from __future__ import annotations

import numpy as np

from recommender.engine.evaluation.data import Dataset, IntArray
from recommender.engine.tracks.content import FloatArray

CUTOFFS = (10, 50)
FIRST = 10
"""Diversity and coverage are measured on the first ten, which a person sees."""


def ranks_of(scores: FloatArray, relevant: IntArray) -> IntArray:
    """Ascending ranks, from 1, of the relevant items among scores (n_items,); -inf is hidden.

    Ties rank last, so that a ranker gains nothing from constant scores.
    """
    return np.sort(np.array([np.count_nonzero(scores >= score) for score in scores[relevant]]))


def of_one_list(ranks: IntArray) -> dict[str, float]:
    """Recall and NDCG at the cutoffs, and the reciprocal rank of the first relevant item."""
    metrics = {}
    for k in CUTOFFS:
        hits = ranks[ranks <= k]
        ideal = np.sum(1.0 / np.log2(np.arange(1, min(k, len(ranks)) + 1) + 1.0))
        metrics[f"recall@{k}"] = len(hits) / len(ranks)
        metrics[f"ndcg@{k}"] = float(np.sum(1.0 / np.log2(hits + 1.0)) / ideal)
    metrics["mrr"] = 1.0 / float(ranks[0])
    return metrics


class Lists:
    """Accumulates the metrics of one ranker's lists."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._rows: list[dict[str, float]] = []
        self._listed = np.zeros(data.n_items, dtype=np.bool_)

    def add(self, scores: FloatArray, relevant: IntArray) -> None:
        """Add a list: scores (n_items,) of all items, and the held-out ones."""
        first = np.argpartition(-scores, min(FIRST, len(scores)) - 1)[:FIRST]
        first = first[np.isfinite(scores[first])]
        self._listed[first] = True
        row = of_one_list(ranks_of(scores, relevant))
        self._rows.append(row | {"diversity@10": _diversity(self._data.content[first])})

    def metrics(self) -> dict[str, float]:
        """Means over the lists, and coverage of the catalogue and its artists."""
        means = {name: np.mean([row[name] for row in self._rows]) for name in self._rows[0]}
        artists = np.asarray(self._data.artists[self._listed].sum(axis=0)).ravel()
        covered = {
            "artist_coverage@10": np.mean(artists > 0) if len(artists) else 0.0,
            "catalogue_coverage@10": np.mean(self._listed),
        }
        return {name: round(float(value), 4) for name, value in (means | covered).items()}


def _diversity(content: FloatArray) -> float:
    """Mean pairwise distance of content vectors (n, 10); about one for random tracks."""
    n, size = content.shape
    if n < 2:
        return 0.0
    distances = np.linalg.norm(content[:, None] - content[None, :], axis=2)
    return float(distances.sum() / (n * (n - 1)) / np.sqrt(2.0 * size))
