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
