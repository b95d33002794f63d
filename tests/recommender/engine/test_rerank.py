from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax as softmax_by_scipy

from recommender.engine.rerank import rerank, softmax, story_noise


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
    picks = rerank(
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
        picks = rerank(
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
    result: dict[tuple[int, ...], float] = {}
    n = 6000
    for story in range(n):
        picks = rerank(
            np.array([0.3, 0.25, 0.1]),
            artists=artists,
            songs=["a", "b", "c"],
            n=2,
            noise=story_noise(story, np.arange(3, dtype=np.uint64), 2),
            diversity=0.3,
        )
        order = tuple(p.row for p in picks)
        counts[order] += 1
        result[order] = picks[0].propensity * picks[1].propensity
    assert sum(result.values()) == pytest.approx(1.0)
    for order, propensity in result.items():
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
    picks = rerank(
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
    result: dict[int, float] = {}
    n = 4000
    for story in range(n):
        first = rerank(
            scores,
            artists=[frozenset({"a"}), frozenset({"b"}), frozenset({"c"})],
            songs=["a", "b", "c"],
            n=1,
            noise=story_noise(story, tracks),
        )[0]
        firsts[first.row] += 1
        result[first.row] = first.propensity
    for row, propensity in result.items():
        assert firsts[row] / n == pytest.approx(propensity, abs=0.03)
    assert sum(result.values()) == pytest.approx(1.0)


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


# --- values ---------------------------------------------------------------------------------------


def mixed(story: int, track: int) -> float:
    """The uniform number that the first place's noise was made of."""
    return float(np.exp(-np.exp(-story_noise(story, np.array([track], np.uint64), 1)[0, 0])))


@pytest.mark.parametrize(
    ("story", "track", "output"),
    [
        # The reference implementation of splitmix64 (Vigna, prng.di.unimi.it): its state starts
        # with the seed and grows by the golden ratio, so the k-th output of a seed is the story
        # k's for the track of that number. Seeds 0 and 1234567 (as on rosettacode.org).
        (1, 0, 0xE220A8397B1DCDAF),
        (1, 1234567, 6457827717110365317),
        (2, 1234567, 3203168211198807973),
        (3, 1234567, 9817491932198370423),
        (2**64 + 1, 1234567, 6457827717110365317),
    ],
)
def test_noise_is_made_of_splitmix64(story: int, track: int, output: int) -> None:
    assert mixed(story, track) == pytest.approx(output / 2**64, rel=1e-12)


def test_stories_with_like_endings_have_noise_of_their_own() -> None:
    assert mixed(200, 1) != mixed(200 % 128, 1)


def test_next_place_is_as_far_off_as_another_track() -> None:
    steps = [(5 + place * 0xD1342543DE82EF95) % 2**64 for place in range(3)]
    by_place = story_noise(9, np.array([5], np.uint64), 3)[:, 0]
    assert by_place == pytest.approx(story_noise(9, np.array(steps, np.uint64), 1)[0])


def test_noise_is_finite_where_nothing_is_mixed() -> None:
    """splitmix64 of zero is zero, and half a step of 2⁻⁵³ keeps the logarithm alive."""
    assert story_noise(0, np.zeros(1, np.uint64), 1)[0, 0] == pytest.approx(
        -np.log(54 * np.log(2)), rel=1e-12
    )


BAND = frozenset({"band"})
# Row 0 is drawn first; what the others repeat of it, by hand. Half of the era's share is left
# after eight years, a quarter after sixteen.
LIKENESS = {
    "artist": ((BAND | {"other"}, "", np.nan), 0.5),
    "genre": ((frozenset({"b"}), "rock", np.nan), 0.3),
    "year": ((frozenset({"c"}), "soul", 2000.0), 0.2),
    "eight years later": ((frozenset({"d"}), "soul", 2008.0), 0.1),
    "sixteen years earlier": ((frozenset({"e"}), "", 1984.0), 0.05),
    "all": ((BAND, "rock", 2000.0), 1.0),
    "nothing": ((frozenset({"g"}), "", np.nan), 0.0),
}


@pytest.mark.parametrize("which", range(len(LIKENESS)))
def test_repetition_costs_its_share_of_the_diversity(which: int) -> None:
    """The second draw's chance is the softmax of minus diversity times likeness, by scipy."""
    rows = [(BAND, "rock", 2000.0), *(row for row, _ in LIKENESS.values())]
    noise = np.zeros((2, len(rows)))
    noise[0, 0] = noise[1, 1 + which] = 1000.0
    picks = rerank(
        np.zeros(len(rows)),
        artists=[artists for artists, _, _ in rows],
        songs=[str(i) for i in range(len(rows))],
        n=2,
        noise=noise,
        genres=[genre for _, genre, _ in rows],
        years=np.array([year for _, _, year in rows]),
        diversity=0.6,
        temperature=0.5,
    )
    chances = softmax_by_scipy([-0.6 * alike / 0.5 for _, alike in LIKENESS.values()])
    assert [pick.row for pick in picks] == [0, 1 + which]
    assert picks[0].propensity == pytest.approx(1 / len(rows))
    assert picks[1].propensity == pytest.approx(chances[which])


def test_unknown_genre_of_the_drawn_track_is_shared_with_nobody() -> None:
    """Were two unknown genres alike, the second row would cost more than the third."""
    order = pick(np.array([3.0, 2.0, 1.9]), genres=["", "", "rock"], diversity=1.0)
    assert order == [0, 1, 2]


def test_likeness_is_to_the_nearest_of_those_drawn() -> None:
    """Row 2 is of row 0's genre and of row 1's artist: 0.5 counts, neither 0.3 nor the sum."""
    artists = [frozenset({"a"}), BAND, BAND, frozenset({"z"})]
    noise = np.zeros((3, 4))
    noise[0, 0] = noise[1, 1] = 1000.0
    picks = rerank(
        np.zeros(4),
        artists=artists,
        songs=["a", "b", "c", "d"],
        n=3,
        noise=noise,
        genres=["rock", "", "rock", ""],
        diversity=1.0,
        temperature=1.0,
    )
    assert picks[2].row == 3
    assert picks[2].propensity == pytest.approx(1 / (1 + np.exp(-0.5)))


@pytest.mark.parametrize(("per_artist", "rows"), [(1, [0, 3]), (2, [0, 1, 3]), (3, [0, 1, 2, 3])])
def test_artist_has_as_many_tracks_as_allowed(per_artist: int, rows: list[int]) -> None:
    picks = rerank(
        np.array([4.0, 3.0, 2.0, 1.0]),
        artists=[BAND, BAND, BAND, frozenset({"other"})],
        songs=["a", "b", "c", "d"],
        n=4,
        noise=np.zeros((4, 4)),
        per_artist=per_artist,
        diversity=0.0,
    )
    assert [pick.row for pick in picks] == rows


def test_softmax_of_huge_strengths_stays_finite() -> None:
    assert softmax(np.array([1e4, 1e4, 0.0])).tolist() == [0.5, 0.5, 0.0]
    assert softmax(np.log([1.0, 2.0, 5.0])) == pytest.approx([0.125, 0.25, 0.625])
