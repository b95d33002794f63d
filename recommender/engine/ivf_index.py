"""An IVF (inverted file) index of the catalogue: selects the few per cent of tracks to score.

The inner product of a track's vector with a query is the part of its score that doesn't depend on
the mood. Each track is in one bucket: a pair of a list (its nearest k-means centroid, Jégou et al.
2011) and a cell of the valence x energy plane. A query visits buckets in the order of the best
score expected in them until it has seen enough tracks. A small catalogue is scanned completely.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.mood import Gaussian
from recommender.engine.scoring import mood_terms
from recommender.engine.tracks.content import FloatArray

Vectors = NDArray[np.float32]
Ints = NDArray[np.int32]

SIDE = 16
"""The plane is cut into SIDE x SIDE cells."""
CELLS = SIDE * SIDE
TRACKS_PER_LIST = 4096
MAX_LISTS = 1024
SAMPLE_PER_LIST = 64
_ROUNDS = 8
_AT_ONCE = 65_536
# How far above its list's centroid a good track is expected, in standard deviations. Of one, two
# and three, two had the best recall on 3 x 10^5 tracks.
_SPREAD = 2.0


@dataclass(frozen=True)
class IvfIndex:
    """The in-memory part of the index; the tracks themselves stay in the database."""

    centroids: Vectors
    """(n_lists, d)."""
    radii: Vectors
    """(n_lists,): root mean squared distance of a list's vectors to its centroid."""
    counts: Ints
    """(n_lists, CELLS): how many tracks lie in each bucket."""

    @property
    def n_tracks(self) -> int:
        """The tracks in all lists."""
        return int(self.counts.sum())

    def to_bytes(self) -> bytes:
        """Serialise as a compressed .npz file."""
        out = io.BytesIO()
        np.savez_compressed(out, centroids=self.centroids, radii=self.radii, counts=self.counts)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> IvfIndex:
        """Return the index that `to_bytes` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return cls(arrays["centroids"], arrays["radii"], arrays["counts"])


def n_lists(n_tracks: int) -> int:
    """Return the number of lists for a catalogue of this size."""
    return max(1, min(MAX_LISTS, n_tracks // TRACKS_PER_LIST))


def fit_centroids(sample: Vectors, k: int, seed: int = 0) -> Vectors:
    """Fit up to `k` centroids (k, d) to the vectors (n, d), n >= 1, by k-means."""
    rng = np.random.default_rng(seed)
    centroids: Vectors = sample[rng.permutation(len(sample))[:k]].copy()
    for _ in range(_ROUNDS):
        lists = nearest(sample, centroids)
        counts = np.bincount(lists, minlength=len(centroids))
        sums = np.zeros_like(centroids)
        np.add.at(sums, lists, sample)
        filled = counts > 0
        centroids[filled] = sums[filled] / counts[filled, None]
    return centroids


def nearest(vectors: Vectors, centroids: Vectors) -> Ints:
    """Return the nearest list (n,) of each vector (n, d)."""
    lists = np.empty(len(vectors), dtype=np.int32)
    norms = np.sum(centroids**2, axis=1)
    for start in range(0, len(vectors), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        lists[part] = np.argmin(norms - 2.0 * vectors[part] @ centroids.T, axis=1)
    return lists


def cell_of(points: FloatArray) -> Ints:
    """Return the cell (n,) of each point (n, 2) in the unit square."""
    steps = np.clip((points * SIDE).astype(np.int32), 0, SIDE - 1)
    cells: Ints = steps[:, 0] * SIDE + steps[:, 1]
    return cells


def bucket_of(vectors: Vectors, points: FloatArray, centroids: Vectors) -> Ints:
    """Return the bucket (n,), below n_lists * CELLS, for each vector and mood point."""
    buckets: Ints = nearest(vectors, centroids) * CELLS + cell_of(points)
    return buckets


def summarise(
    centroids: Vectors, buckets: Ints, squared_distances: NDArray[np.floating]
) -> IvfIndex:
    """Build the index of tracks from their buckets (n,) and distances (n,) to their centroids."""
    k = len(centroids)
    counts = np.bincount(buckets, minlength=k * CELLS).reshape(k, CELLS)
    sums = np.bincount(buckets // CELLS, weights=squared_distances, minlength=k)
    radii = np.sqrt(sums / np.maximum(counts.sum(axis=1), 1))
    return IvfIndex(centroids, radii.astype(np.float32), counts.astype(np.int32))


def probe(
    index: IvfIndex, *, mood: Gaussian, query: Vectors, budget: int, mood_weight: float = 1.0
) -> Ints | None:
    """Return the buckets to scan for about `budget` tracks; None means all of them.

    The score is the inner product with `query` (d,) plus `mood_weight` times the mood term.
    """
    if index.n_tracks <= budget:
        return None
    likely = index.centroids @ query + _SPREAD * index.radii * np.linalg.norm(query) / np.sqrt(
        len(query)
    )
    promise = (likely[:, None] + mood_weight * _best_of_cells(mood)).ravel()
    counts = index.counts.ravel()
    filled = np.flatnonzero(counts)
    order = filled[np.argsort(-promise[filled], kind="stable")]
    enough = int(np.searchsorted(np.cumsum(counts[order]), budget)) + 1
    return order[:enough].astype(np.int32)


def _best_of_cells(mood: Gaussian) -> FloatArray:
    """Return the highest mood term (CELLS,) on a 3 x 3 grid within each cell."""
    steps = (np.arange(SIDE)[:, None] + np.array([0.0, 0.5, 1.0])).ravel() / SIDE
    points = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    terms = mood_terms(points, mood).reshape(SIDE, 3, SIDE, 3)
    best: FloatArray = terms.max(axis=(1, 3)).ravel()
    return best
