import numpy as np
import pytest

from recommender.engine import inverted
from recommender.engine.inverted import InvertedFile, Vectors
from recommender.engine.scoring import Mood, mood_terms

RNG = np.random.default_rng(0)
N, DIMENSIONS = 20_000, 6


def make_catalogue() -> tuple[Vectors, np.ndarray, np.ndarray, InvertedFile]:
    """Vectors in groups, mood points, buckets, and their inverted file."""
    groups = RNG.normal(size=(40, DIMENSIONS))
    vectors = (groups[RNG.integers(40, size=N)] + RNG.normal(0, 0.3, (N, DIMENSIONS))).astype("f4")
    points = RNG.random((N, 2))
    centroids = inverted.fit_centroids(vectors[:4000], 32)
    buckets = inverted.bucket_of(vectors, points, centroids)
    apart = np.sum((vectors - centroids[buckets // inverted.CELLS]) ** 2, axis=1)
    return vectors, points, buckets, inverted.summarise(centroids, buckets, apart)


def make_mood(sd: float) -> Mood:
    return Mood(np.array([0.6, 0.4]), np.eye(2) * sd**2)


@pytest.mark.parametrize("sd", [0.05, 0.2])
def test_looking_into_a_tenth_finds_nearly_all_of_the_best(sd: float) -> None:
    vectors, points, buckets, index = make_catalogue()
    mood, query = make_mood(sd), RNG.normal(size=DIMENSIONS).astype("f4")
    probed = inverted.probe(index, mood=mood, query=query, budget=N // 10)
    assert probed is not None
    seen = np.isin(buckets, probed)
    best = np.argsort(-(vectors @ query + mood_terms(points, mood)))[:50]
    assert N // 10 <= seen.sum() < 1.2 * N // 10
    assert seen[best].mean() > 0.95


def test_small_catalogue_is_looked_at_whole() -> None:
    *_, index = make_catalogue()
    query = np.ones(DIMENSIONS, "f4")
    assert inverted.probe(index, mood=make_mood(0.1), query=query, budget=N) is None


def test_every_point_of_the_plane_has_a_cell() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.999, 0.5]])
    cells = inverted.cell_of(corners)
    assert cells.min() == 0
    assert cells.max() == inverted.CELLS - 1
    assert len({*cells.tolist()}) == 4


def test_index_comes_back_from_its_bytes() -> None:
    *_, index = make_catalogue()
    again = InvertedFile.from_bytes(index.to_bytes())
    assert again.n_tracks == N
    assert np.array_equal(again.centroids, index.centroids)
    assert np.array_equal(again.radii, index.radii)
    assert np.array_equal(again.counts, index.counts)


def test_lists_grow_with_the_catalogue_within_bounds() -> None:
    assert inverted.n_lists(0) == inverted.n_lists(5000) == 1
    assert inverted.n_lists(1_000_000) == 244
    assert inverted.n_lists(10**8) == inverted.MAX_LISTS
