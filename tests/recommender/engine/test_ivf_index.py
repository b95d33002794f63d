import numpy as np
import pytest

from ml.mood import Gaussian
from recommender.engine import ivf_index as inverted
from recommender.engine.ivf_index import IvfIndex, Vectors
from recommender.engine.scoring import mood_terms

RNG = np.random.default_rng(0)
N, DIMENSIONS = 20_000, 6


def make_catalogue() -> tuple[Vectors, np.ndarray, np.ndarray, IvfIndex]:
    """Vectors in groups, mood points, buckets, and their inverted file."""
    groups = RNG.normal(size=(40, DIMENSIONS))
    vectors = (groups[RNG.integers(40, size=N)] + RNG.normal(0, 0.3, (N, DIMENSIONS))).astype("f4")
    points = RNG.random((N, 2))
    centroids = inverted.fit_centroids(vectors[:4000], 32)
    buckets = inverted.bucket_of(vectors, points, centroids)
    apart = np.sum((vectors - centroids[buckets // inverted.CELLS]) ** 2, axis=1)
    return vectors, points, buckets, inverted.summarise(centroids, buckets, apart)


def make_mood(sd: float) -> Gaussian:
    return Gaussian(np.array([0.6, 0.4]), np.eye(2) * sd**2)


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
    again = IvfIndex.from_bytes(index.to_bytes())
    assert again.n_tracks == N
    assert np.array_equal(again.centroids, index.centroids)
    assert np.array_equal(again.radii, index.radii)
    assert np.array_equal(again.counts, index.counts)


def test_lists_grow_with_the_catalogue_within_bounds() -> None:
    assert inverted.n_lists(0) == inverted.n_lists(5000) == 1
    assert inverted.n_lists(1_000_000) == 244
    assert inverted.n_lists(10**8) == inverted.MAX_LISTS


# --- values ---------------------------------------------------------------------------------------


def test_two_clusters_have_their_means_as_centroids_wherever_it_starts() -> None:
    sample = np.array([[0.0], [2.0], [10.0], [12.0]], "f4")
    for seed in range(8):
        assert sorted(inverted.fit_centroids(sample, 2, seed).ravel()) == [1.0, 11.0]


def test_centroid_that_nothing_is_nearest_to_stays() -> None:
    """Two of three start at the same place, so one of them gets no vector at all."""
    centroids = inverted.fit_centroids(np.array([[1.0], [1.0], [5.0]], "f4"), 3)
    assert sorted(centroids.ravel()) == [1.0, 1.0, 5.0]


def test_nearest_is_by_distance_and_not_by_inner_product() -> None:
    centroids = np.array([[1.0, 0.0], [10.0, 0.0], [0.0, -3.0]], "f4")
    vectors = np.array([[2.0, 0.0], [5.0, 0.0], [6.0, 0.0], [1.0, -3.0], [-9.0, 0.0]], "f4")
    assert inverted.nearest(vectors, centroids).tolist() == [0, 0, 1, 2, 2]


def test_more_vectors_than_are_compared_at_once_get_their_lists() -> None:
    vectors = np.tile(np.array([[-1.0], [1.0]], "f4"), (40_000, 1))
    lists = inverted.nearest(vectors, np.array([[-2.0], [2.0]], "f4"))
    assert (lists.reshape(-1, 2) == [0, 1]).all()


@pytest.mark.parametrize(
    ("point", "cell"),
    [
        *(((0.0, 0.0), 0), ((0.5, 0.25), 8 * 16 + 4), ((1.0, 1.0), 255), ((0.0, 1.0), 15)),
        *(((0.0624, 0.0), 0), ((0.0625, 0.0), 16), ((0.0, 0.0625), 1)),
    ],
)
def test_cells_are_sixteenths_counted_by_valence_first(
    point: tuple[float, float], cell: int
) -> None:
    assert inverted.cell_of(np.array([point])).tolist() == [cell]
    centroids = np.array([[5.0], [0.0]], "f4")
    bucket = inverted.bucket_of(np.array([[1.0]], "f4"), np.array([point]), centroids)
    assert bucket.tolist() == [256 + cell]


def test_summary_counts_buckets_and_takes_the_root_of_the_mean_square() -> None:
    """List 0: sqrt((9 + 16 + 2) / 3) = 3; list 1: sqrt(4 / 1) = 2; list 2 is empty."""
    index = inverted.summarise(
        np.zeros((3, 1), "f4"), np.array([7, 7, 255, 256 + 7]), np.array([9.0, 16.0, 2.0, 4.0])
    )
    assert index.radii.tolist() == [3.0, 2.0, 0.0]
    assert index.counts.sum(axis=1).tolist() == [3, 1, 0]
    assert (index.counts[0, 7], index.counts[0, 255], index.counts[1, 7]) == (2, 1, 1)


def index_of(centroids: list[list[float]], radii: list[float], cells: list[int]) -> IvfIndex:
    """Lists of ten tracks each, all in one cell."""
    counts = np.zeros((len(cells), inverted.CELLS), np.int32)
    counts[np.arange(len(cells)), cells] = 10
    return IvfIndex(np.array(centroids, "f4"), np.array(radii, "f4"), counts)


def lists_probed(index: IvfIndex, budget: int, mood_weight: float = 1.0) -> list[int]:
    query = np.array([2.0, 0.0, 0.0, 0.0], "f4")
    mood = Gaussian(np.array([0.5, 0.5]), np.eye(2) * 0.1**2)
    probed = inverted.probe(index, mood=mood, query=query, budget=budget, mood_weight=mood_weight)
    assert probed is not None
    return [int(bucket) // inverted.CELLS for bucket in probed]


MIDDLE_CELL, CORNER_CELL = 8 * 16 + 8, 0


@pytest.mark.parametrize(("radius", "order"), [(0.2, [1, 0]), (0.1, [0, 1])])
def test_wide_list_promises_two_deviations_more_than_its_centroid(
    radius: float, order: list[int]
) -> None:
    """The query is 2 long in 4 dimensions, so one deviation is the radius times 2 / sqrt(4). The
    first list promises 1; the second 0.7 and twice its radius, 1.1 or 0.9."""
    centroids = [[0.5, 0, 0, 0], [0.35, 0, 0, 0], [-9.0, 0, 0, 0]]
    index = index_of(centroids, [0.0, radius, 0.0], [MIDDLE_CELL] * 3)
    assert lists_probed(index, 15) == order


def test_mood_counts_by_its_weight() -> None:
    """The first list promises 1.5 at the far corner (its term is far below -10), the second 0."""
    centroids = [[0.75, 0, 0, 0], [0.0, 0, 0, 0]]
    index = index_of(centroids, [0.0, 0.0], [CORNER_CELL, MIDDLE_CELL])
    assert lists_probed(index, 5) == [1]
    assert lists_probed(index, 5, mood_weight=0.0) == [0]
    assert lists_probed(index, 5, mood_weight=0.01) == [0]


@pytest.mark.parametrize(
    ("budget", "n_lists"), [(1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (29, 3)]
)
def test_buckets_are_taken_until_the_budget_is_reached(budget: int, n_lists: int) -> None:
    index = index_of([[3, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]], [0.0] * 3, [MIDDLE_CELL] * 3)
    assert lists_probed(index, budget) == [0, 1, 2][:n_lists]


def test_all_of_a_catalogue_that_fits_the_budget_is_looked_at() -> None:
    index = index_of([[1, 0, 0, 0]], [0.0], [MIDDLE_CELL])
    query, mood = np.ones(4, "f4"), make_mood(0.1)
    assert inverted.probe(index, mood=mood, query=query, budget=10) is None
    assert inverted.probe(index, mood=mood, query=query, budget=9) is not None


def test_best_of_a_cell_is_at_its_point_nearest_to_the_mood() -> None:
    """The mood lies where four cells meet. Cell (9, 8) begins at 9/16, 0.625 deviations off."""
    mood = Gaussian(np.array([0.5, 0.5]), np.eye(2) * 0.1**2)
    best = inverted._best_of_cells(mood).reshape(16, 16)
    assert best[7:9, 7:9] == pytest.approx(np.ones((2, 2)))
    assert best[9, 8] == pytest.approx(1.0 - 0.625**2 / 2)
    assert best[8, 10] == pytest.approx(1.0 - 1.25**2 / 2)
    assert best[0, 0] == pytest.approx(1.0 - (4.375**2 + 4.375**2) / 2)
