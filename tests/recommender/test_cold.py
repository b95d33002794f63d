import numpy as np
import pytest

from recommender.engine.cold import fit_cold_start
from recommender.engine.content import N_FEATURES


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
    told = cold.vectors([frozenset()] * 5, new)
    truth = new @ np.linalg.lstsq(content, vectors, rcond=None)[0]
    assert np.corrcoef(told.ravel(), truth.ravel())[0, 1] > 0.98


def test_artist_of_one_track_moves_less_than_one_of_many() -> None:
    vectors = np.concatenate([np.zeros((50, 2)), np.ones((11, 2))]).astype(np.float32)
    artists = [frozenset({f"n{i}"}) for i in range(50)]
    artists += [frozenset({"once"})] + [frozenset({"often"})] * 10
    cold = fit_cold_start(vectors, artists, np.zeros((61, N_FEATURES)))
    assert 0.0 < cold.artists["once"][0] < cold.artists["often"][0] < 1.0
