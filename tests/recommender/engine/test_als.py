import numpy as np
import pytest
import scipy.sparse as sparse

from recommender.engine.als import Settings, TrackFactors, fold_in, quality, train

SETTINGS = Settings(n_factors=6, confidence=20.0, regularisation=0.5)


def two_crowds(n_people: int = 60, n_tracks: int = 40, seed: int = 0) -> sparse.csr_matrix:
    """Even people choose among the first half of the tracks, odd ones among the second."""
    rng = np.random.default_rng(seed)
    half = n_tracks // 2
    rows = np.repeat(np.arange(n_people), 8)
    columns = np.concatenate(
        [rng.permutation(half)[:8] + half * (person % 2) for person in range(n_people)]
    )
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, columns)), shape=(n_people, n_tracks))


def test_people_get_what_their_crowd_chose() -> None:
    factors = train(two_crowds(), settings=SETTINGS)
    person = fold_in(factors.gram(), factors.vectors[[0, 3, 7]], factors.settings)
    scores = factors.vectors @ person
    assert scores[:20].mean() > 0.5 > 0.2 > np.abs(scores[20:]).mean()


def test_same_choices_and_seed_give_the_same_factors() -> None:
    first, second = (train(two_crowds(), settings=SETTINGS, seed=4) for _ in range(2))
    assert np.array_equal(first.vectors, second.vectors)
    assert not np.array_equal(first.vectors, train(two_crowds(), settings=SETTINGS).vectors)


def test_folded_in_vector_is_the_minimum_of_the_objective() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(30, 6)).astype(np.float32)
    chosen = np.array([1, 4, 9])
    person = fold_in(vectors.T @ vectors, vectors[chosen], SETTINGS)

    def loss(at: np.ndarray) -> float:
        wanted = np.isin(np.arange(30), chosen).astype(float)
        weight = 1.0 + SETTINGS.confidence * wanted
        squared = float(np.sum(weight * (wanted - vectors @ at) ** 2))
        return squared + SETTINGS.regularisation * float(at @ at)

    for axis in np.eye(6) * 1e-2:
        assert loss(person) < min(loss(person + axis), loss(person - axis))


def test_person_without_choices_gets_zero() -> None:
    gram = np.eye(6, dtype=np.float32)
    assert not fold_in(gram, np.zeros((0, 6), dtype=np.float32), SETTINGS).any()


def test_track_that_nobody_chose_has_no_vector() -> None:
    choices = two_crowds()
    wider = sparse.csr_matrix((choices.data, choices.indices, choices.indptr), shape=(60, 42))
    factors = train(wider, settings=SETTINGS)
    assert not factors.vectors[40:].any()
    assert factors.popularity[40:].tolist() == [0.0, 0.0]
    assert factors.popularity.max() == 1.0


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="no choices"):
        train(sparse.csr_matrix((3, 4), dtype=np.float32))


def test_quality_is_high_for_learned_and_low_for_scrambled_factors() -> None:
    choices = two_crowds(n_people=200, n_tracks=400)
    factors = train(choices, settings=SETTINGS)
    strangers = two_crowds(n_people=40, n_tracks=400, seed=9).tolil()
    wanted = np.array([columns[-1] for columns in strangers.rows])
    strangers[np.arange(40), wanted] = 0.0
    known = strangers.tocsr()
    known.eliminate_zeros()
    scrambled = np.random.default_rng(0).permutation(factors.vectors)
    learned = quality(factors, known, wanted)
    assert learned > 1.5 * quality(
        TrackFactors(scrambled, factors.popularity, SETTINGS), known, wanted
    )


def test_quality_of_nobody_is_unknown() -> None:
    factors = train(two_crowds(), settings=SETTINGS)
    nobody = sparse.csr_matrix((0, 40), dtype=np.float32)
    assert np.isnan(quality(factors, nobody, np.zeros(0, dtype=np.int64)))


# --- values ---------------------------------------------------------------------------------------


def test_folded_in_vector_of_one_number_by_hand() -> None:
    """(2 + 10 * 1 + 10) x = (1 + 10) * 1, so x = 1/2."""
    one = np.ones((1, 1), np.float32)
    assert fold_in(2 * one, one, Settings(n_factors=1)) == pytest.approx([0.5])


def test_folded_in_vector_is_weighted_ridge_regression() -> None:
    """Least squares on every track, a chosen one counted 1 + confidence times, and the ridge."""
    rng = np.random.default_rng(3)
    vectors, chosen = rng.normal(size=(20, 6)).astype(np.float32), [2, 5, 6, 11]
    wanted = np.isin(np.arange(20), chosen).astype(float)
    counted = np.sqrt(1.0 + 20.0 * wanted)[:, None]
    rows = np.concatenate([counted * vectors, np.sqrt(0.5) * np.eye(6)])
    goal = np.concatenate([counted[:, 0] * wanted, np.zeros(6)])
    expected = np.linalg.lstsq(rows, goal, rcond=None)[0]
    result = fold_in(vectors.T @ vectors, vectors[chosen], SETTINGS)
    assert result == pytest.approx(expected, abs=1e-4)


def test_trained_vectors_are_the_optimum_for_choices_that_weigh_less_with_age() -> None:
    """At the optimum each side is the other's weighted ridge regression (Hu et al. 2008, (4))."""
    rng = np.random.default_rng(4)
    weights = np.where(rng.random((12, 8)) < 0.4, rng.choice([0.5, 1.0], (12, 8)), 0.0)
    settings = Settings(n_factors=2, confidence=4.0, regularisation=0.3, n_iterations=500)
    vectors = train(sparse.csr_matrix(weights, dtype=np.float32), settings=settings).vectors

    def solve(other: np.ndarray, given: np.ndarray) -> np.ndarray:
        counted = 1.0 + 4.0 * given
        normal = (other.T * counted) @ other + 0.3 * np.eye(2)
        return np.linalg.solve(normal, other.T @ (counted * (given > 0)))

    people = np.array([solve(vectors, row) for row in weights])
    tracks = np.array([solve(people, column) for column in weights.T])
    assert np.abs(vectors).max() > 0.1
    assert vectors == pytest.approx(tracks, abs=2e-3)


def test_popularity_is_the_logarithm_of_one_more_than_the_choices_by_the_highest() -> None:
    """Chosen by 3, 1 and nobody: log 4 / log 4, log 2 / log 4, log 1 / log 4."""
    choices = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    result = train(choices, settings=SETTINGS).popularity
    assert result == pytest.approx([1.0, 0.5, 0.0])


LADDER = np.arange(60.0, 0.0, -1.0)[:, None].astype(np.float32)
"""One number per track: for anybody, the first track scores highest and the last lowest."""


def quality_of(vectors: np.ndarray, known: list[int], wanted: list[int]) -> float:
    """With one person for each of `known` and `held_out`."""
    ones = np.ones(len(known), dtype=np.float32)
    rows = (ones, (np.arange(len(known)), known))
    choices = sparse.csr_matrix(rows, shape=(len(known), len(vectors)))
    factors = TrackFactors(vectors, vectors[:, 0], Settings(n_factors=1))
    return quality(factors, choices, np.array(wanted))


@pytest.mark.parametrize(
    ("known", "wanted", "share"),
    [
        # Without the track chosen before, which stands first, tracks 1 to 50 are the first fifty.
        (0, 50, 1.0),
        (0, 51, 0.0),
        (59, 49, 1.0),
        (59, 50, 0.0),
    ],
)
def test_fiftieth_of_those_not_chosen_before_is_found_and_the_next_is_not(
    known: int, wanted: int, share: float
) -> None:
    assert quality_of(LADDER, [known], [wanted]) == share


def test_track_that_ties_with_more_than_fifty_is_not_found() -> None:
    assert quality_of(np.ones((52, 1), np.float32), [0], [5]) == 0.0
    assert quality_of(np.ones((51, 1), np.float32), [0], [5]) == 1.0


def test_everybody_counts_once_however_many_there_are() -> None:
    """More than are scored at once; two of three are found."""
    wanted = [10, 55, 20] * 200
    assert quality_of(LADDER, [0, 1, 59] * 200, wanted) == pytest.approx(2 / 3)
