import numpy as np
import pytest

from recommender.engine.cold_start import fit_cold_start
from recommender.engine.tracks.content import N_FEATURES


def test_new_track_of_a_known_artist_lies_near_the_artists_tracks() -> None:
    rng = np.random.default_rng(0)
    centres = {"calm": np.full(4, -2.0), "loud": np.full(4, 2.0)}
    artists = [frozenset({name}) for name in ("calm", "loud") * 20]
    vectors = np.array([centres[min(a)] + rng.normal(0.0, 0.1, 4) for a in artists], np.float32)
    content = rng.normal(size=(40, N_FEATURES))
    cold = fit_cold_start(vectors, artists, content)
    new = cold.vectors([frozenset({"calm"}), frozenset({"loud"})], np.zeros((2, N_FEATURES)))
    assert new[0] == pytest.approx(centres["calm"], abs=0.5)
    assert new[1] == pytest.approx(centres["loud"], abs=0.5)


def test_unknown_artist_is_placed_by_sound() -> None:
    rng = np.random.default_rng(1)
    content = rng.normal(size=(300, N_FEATURES))
    vectors = (content @ rng.normal(size=(N_FEATURES, 4))).astype(np.float32)
    artists = [frozenset({f"a{i}"}) for i in range(300)]
    new = rng.normal(size=(5, N_FEATURES))
    cold = fit_cold_start(vectors, artists, content)
    result = cold.vectors([frozenset()] * 5, new)
    truth = new @ np.linalg.lstsq(content, vectors, rcond=None)[0]
    assert np.corrcoef(result.ravel(), truth.ravel())[0, 1] > 0.98


def test_artist_of_one_track_moves_less_than_one_of_many() -> None:
    vectors = np.concatenate([np.zeros((50, 2)), np.ones((11, 2))]).astype(np.float32)
    artists = [frozenset({f"n{i}"}) for i in range(50)]
    artists += [frozenset({"once"})] + [frozenset({"often"})] * 10
    cold = fit_cold_start(vectors, artists, np.zeros((61, N_FEATURES)))
    assert 0.0 < cold.artists["once"][0] < cold.artists["often"][0] < 1.0


def test_artist_effects_are_shrunk_means_of_what_the_sound_leaves() -> None:
    """Without any sound the intercept is the mean, (4 + 4 + 4 + 0) / 4 = 3. What is left of a's
    three tracks is 1 each, 3 in all, over 3 + 1; of b's one it is -3, over 1 + 1."""
    vectors = np.array([[4.0], [4.0], [4.0], [0.0]], np.float32)
    a, b, new = (frozenset({name}) for name in ("a", "b", "new"))
    cold = fit_cold_start(vectors, [a, a, a, b], np.zeros((4, N_FEATURES)))
    assert cold.artists["a"] == pytest.approx([0.75], abs=1e-5)
    assert cold.artists["b"] == pytest.approx([-1.5], abs=1e-5)
    result = cold.vectors([a, b, a | b, new, a | new, frozenset()], np.zeros((6, N_FEATURES)))
    assert result[:, 0] == pytest.approx([3.75, 1.5, 2.625, 3.0, 3.375, 3.0], abs=1e-5)


def test_sound_is_ridge_regression_with_a_prior_of_fifty_tracks() -> None:
    """Ridge is least squares with one more row per slope: sqrt(50) times it ought to be zero."""
    rng = np.random.default_rng(2)
    content, vectors = rng.normal(size=(80, N_FEATURES)), rng.normal(size=(80, 3)) + 1.0
    cold = fit_cold_start(vectors.astype(np.float32), [frozenset()] * 80, content)
    rows = np.column_stack([np.ones(80), content])
    prior = np.column_stack([np.zeros(N_FEATURES), np.sqrt(50) * np.eye(N_FEATURES)])
    goal = np.concatenate([vectors, np.zeros((N_FEATURES, 3))])
    expected = np.linalg.lstsq(np.concatenate([rows, prior]), goal, rcond=None)[0]
    assert cold.sound == pytest.approx(expected, abs=1e-4)
