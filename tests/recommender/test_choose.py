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
    diversity: float = 0.0,
    genres: list[str] | None = None,
    years: np.ndarray | None = None,
) -> list[int]:
    rows = range(len(scores))
    picks = choose(
        scores,
        artists=artists or [frozenset({f"artist{i}"}) for i in rows],
        songs=songs or [f"song{i}" for i in rows],
        n=n,
        noise=np.zeros((n, len(scores))) if noise is None else noise,
        diversity=diversity,
        genres=genres,
        years=years,
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


def test_variety_prefers_another_genre_and_era_among_equals() -> None:
    scores, genres = np.array([1.0, 0.99, 0.98, 0.97]), ["rock", "rock", "soul", "rock"]
    years = np.array([1990.0, 1990.0, 1990.0, 2020.0])
    assert pick(scores, genres=genres, years=years) == [0, 1, 2, 3]
    assert pick(scores, genres=genres, years=years, diversity=0.5) == [0, 2, 3, 1]


def test_variety_does_not_outweigh_a_far_better_track() -> None:
    band = frozenset({"band"})
    artists = [band, band, frozenset({"other"})]
    assert pick(np.array([5.0, 4.9, 1.0]), artists=artists, diversity=0.5) == [0, 1, 2]


def test_unknown_genre_and_year_repeat_nothing() -> None:
    years = np.full(3, np.nan)
    order = pick(np.array([3.0, 2.9, 2.8]), genres=["", "", ""], years=years, diversity=5.0)
    assert order == [0, 1, 2]


def test_sure_places_hold_the_best_whatever_the_luck() -> None:
    scores = np.linspace(1.0, 0.0, 30)
    for story in range(20):
        picks = choose(
            scores,
            artists=[frozenset({str(i)}) for i in range(30)],
            songs=[str(i) for i in range(30)],
            n=6,
            noise=story_noise(story, np.arange(30, dtype=np.uint64)),
            n_sure=3,
        )
        assert [p.row for p in picks[:3]] == [0, 1, 2]
        assert [p.propensity for p in picks[:3]] == [1.0] * 3
        assert all(p.propensity < 1.0 for p in picks[3:])


def test_propensity_of_a_list_is_how_often_it_comes() -> None:
    """With variety, where what was drawn changes the worth of the rest."""
    band = frozenset({"band"})
    artists = [band, band, frozenset({"other"})]
    counts: Counter[tuple[int, ...]] = Counter()
    told: dict[tuple[int, ...], float] = {}
    n = 6000
    for story in range(n):
        picks = choose(
            np.array([0.3, 0.25, 0.1]),
            artists=artists,
            songs=["a", "b", "c"],
            n=2,
            noise=story_noise(story, np.arange(3, dtype=np.uint64), 2),
            diversity=0.3,
        )
        order = tuple(p.row for p in picks)
        counts[order] += 1
        told[order] = picks[0].propensity * picks[1].propensity
    assert sum(told.values()) == pytest.approx(1.0)
    for order, propensity in told.items():
        assert counts[order] / n == pytest.approx(propensity, abs=0.025)


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
    assert (story_noise(1, tracks)[:, 1:] == story_noise(1, tracks[1:])).all()
    assert (story_noise(1, tracks, 3) == story_noise(1, tracks)[:3]).all()
    assert not (story_noise(1, tracks) == story_noise(2, tracks)).any()


def test_noise_is_gumbel() -> None:
    noise = story_noise(3, np.arange(5_000, dtype=np.uint64))
    assert noise.mean() == pytest.approx(0.5772, abs=0.02)
    assert np.atleast_2d(np.corrcoef(noise))[0, 1:] == pytest.approx(0.0, abs=0.06)
    assert noise.var() == pytest.approx(np.pi**2 / 6, abs=0.05)
