from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.engine.choose import choose, story_noise


def pick(
    scores: np.ndarray,
    n: int = 10,
    artists: list[frozenset[str]] | None = None,
    songs: list[str] | None = None,
    noise: np.ndarray | None = None,
) -> list[int]:
    rows = range(len(scores))
    picks = choose(
        scores,
        artists=artists or [frozenset({f"artist{i}"}) for i in rows],
        songs=songs or [f"song{i}" for i in rows],
        n=n,
        noise=np.zeros(len(scores)) if noise is None else noise,
    )
    return [p.row for p in picks]


def test_without_noise_the_best_come_first() -> None:
    assert pick(np.array([0.1, 0.9, 0.5]), n=2) == [1, 2]


def test_no_more_than_two_tracks_of_an_artist() -> None:
    band, other = frozenset({"band"}), frozenset({"other", "band"})
    artists = [band, band, band, other, frozenset({"solo"})]
    assert pick(np.array([5.0, 4.0, 3.0, 2.0, 1.0]), artists=artists) == [0, 1, 4]


def test_the_same_song_under_another_id_comes_once() -> None:
    assert pick(np.array([3.0, 2.0, 1.0]), songs=["a", "a", "b"]) == [0, 2]


def test_nothing_to_choose_from_gives_nothing() -> None:
    assert pick(np.zeros(0)) == []


@given(
    st.lists(st.tuples(st.floats(-50, 5), st.integers(0, 4), st.integers(0, 8)), max_size=40),
    st.integers(0, 2**64 - 1),
)
def test_rules_hold_and_propensities_are_probabilities(
    rows: list[tuple[float, int, int]], seed: int
) -> None:
    noise = story_noise(seed, np.arange(len(rows), dtype=np.uint64))
    picks = choose(
        np.array([row[0] for row in rows], dtype=np.float64),
        artists=[frozenset({str(row[1])}) for row in rows],
        songs=[str(row[2]) for row in rows],
        n=10,
        noise=noise,
    )
    chosen = [rows[p.row] for p in picks]
    assert max(Counter(row[1] for row in chosen).values(), default=0) <= 2
    assert max(Counter(row[2] for row in chosen).values(), default=0) <= 1
    assert all(0.0 < p.propensity <= 1.0 for p in picks)


def test_propensity_is_how_often_a_track_comes_first() -> None:
    scores, tracks = np.array([0.3, 0.2, 0.0]), np.arange(3, dtype=np.uint64)
    firsts: Counter[int] = Counter()
    told: dict[int, float] = {}
    n = 4000
    for story in range(n):
        first = choose(
            scores,
            artists=[frozenset({"a"}), frozenset({"b"}), frozenset({"c"})],
            songs=["a", "b", "c"],
            n=1,
            noise=story_noise(story, tracks),
        )[0]
        firsts[first.row] += 1
        told[first.row] = first.propensity
    for row, propensity in told.items():
        assert firsts[row] / n == pytest.approx(propensity, abs=0.03)
    assert sum(told.values()) == pytest.approx(1.0)


def test_noise_belongs_to_story_and_track() -> None:
    tracks = np.array([5, 6, 7], dtype=np.uint64)
    assert (story_noise(1, tracks) == story_noise(1, tracks)).all()
    assert (story_noise(1, tracks)[1:] == story_noise(1, tracks[1:])).all()
    assert not (story_noise(1, tracks) == story_noise(2, tracks)).any()


def test_noise_is_gumbel() -> None:
    noise = story_noise(3, np.arange(50_000, dtype=np.uint64))
    assert noise.mean() == pytest.approx(0.5772, abs=0.02)
    assert noise.var() == pytest.approx(np.pi**2 / 6, abs=0.05)
