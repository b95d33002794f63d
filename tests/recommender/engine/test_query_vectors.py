import numpy as np
import pytest

from ml.mood import Gaussian
from recommender.engine import query_vectors
from recommender.engine.scoring import Candidates, Weights, score_terms, total
from recommender.engine.taste import Taste
from recommender.engine.tracks.content import N_FEATURES

N, N_FACTORS = 200, 8
LINEAR = ("affinity", "popular", "trend", "fresh", "taste")


def make_tracks() -> tuple[np.ndarray, Candidates]:
    """Collaborative vectors, and all else that is known, of made-up tracks."""
    rng = np.random.default_rng(0)
    known = Candidates(
        mood_points=rng.random((N, 2)),
        content=rng.normal(size=(N, N_FEATURES)),
        popularity=np.where(rng.random(N) < 0.2, np.nan, rng.random(N)),
        together=np.zeros(N),
        shown_lately=np.zeros(N, dtype=np.int64),
        recent_saves=rng.exponential(5.0, N),
        days_out=np.where(rng.random(N) < 0.2, np.nan, rng.exponential(900.0, N)),
    )
    return rng.normal(size=(N, N_FACTORS)).astype("f4"), known


def vectors_of(factors: np.ndarray, tracks: Candidates) -> np.ndarray:
    assert tracks.recent_saves is not None
    assert tracks.days_out is not None
    known = query_vectors.known_of(
        popularity=tracks.popularity,
        recent_saves=tracks.recent_saves,
        days_out=tracks.days_out,
        content=tracks.content,
    )
    return np.hstack([factors, known])


@pytest.mark.parametrize("n_choices", [0, 1, 40])
def test_inner_product_ranks_as_the_score_without_the_mood(n_choices: int) -> None:
    factors, tracks = make_tracks()
    rng = np.random.default_rng(1)
    person = rng.normal(size=N_FACTORS).astype("f4") * bool(n_choices)
    taste = Taste(rng.normal(size=N_FEATURES), n_choices) if n_choices else Taste.unknown()
    scored = Candidates(**{**vars(tracks), "affinity": factors @ person})
    terms = score_terms(
        scored, mood=Gaussian(np.full(2, 0.5), np.eye(2)), taste=taste, weights=Weights()
    )
    score = total({name: terms[name] for name in LINEAR})
    promise = vectors_of(factors, tracks) @ query_vectors.query(person, taste, Weights())
    assert score - score.mean() == pytest.approx(promise - promise.mean(), abs=1e-4)


def test_affinity_alone_sees_nothing_but_the_factors() -> None:
    factors, tracks = make_tracks()
    person = np.ones(N_FACTORS, "f4")
    found = vectors_of(factors, tracks) @ query_vectors.affinity_alone(person)
    assert found == pytest.approx(factors @ person, abs=1e-4)
