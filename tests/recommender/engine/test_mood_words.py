"""Words for a mood: masses against independent integration, and properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

from ml.mood import MUSIC, MUSIC_MEAN, MUSIC_SD, MoodTarget, Spread
from ml.mood.fusion import fuse
from recommender.engine.mood_words import (
    BALANCED,
    CERTAINTIES,
    DISTANCES,
    HARD_TO_TELL,
    SIDES,
    mood_words,
    point_words,
    region_masses,
    relative_width,
)

UNIT = st.floats(0, 1)
SD = st.floats(0.02, 0.4)
DIRECTION = st.floats(0, 2 * math.pi)


def mood(valence: float, energy: float, sd: float) -> MoodTarget:
    """A round mood with a standard deviation of `sd` of those of music."""
    a, b = ((sd * one) ** 2 for one in MUSIC_SD)
    return MoodTarget(valence, energy, ((a, 0.0), (0.0, b)))


def towards(direction: float, distance: float, sd: float) -> MoodTarget:
    """A round mood so many deviations of music from the middle."""
    valence, energy = (
        mid + distance * scale * part
        for mid, scale, part in zip(
            MUSIC_MEAN, MUSIC_SD, (math.cos(direction), math.sin(direction)), strict=True
        )
    )
    return mood(valence, energy, sd)


def oblique(a: float, b: float, correlation: float) -> Spread:
    return ((a * a, correlation * a * b), (correlation * a * b, b * b))


SPREADS = st.builds(oblique, SD, SD, st.floats(-0.95, 0.95))
MOODS = st.builds(MoodTarget, UNIT, UNIT, SPREADS)


def side_of(word: str) -> int:
    """The side that a word names first."""
    return min((word.find(name), place) for place, name in enumerate(SIDES) if name in word)[1]


def rank(word: str) -> int:
    """How strong a word is: from 0, no side is named, to 4, "very"."""
    if word in (BALANCED, HARD_TO_TELL):
        return 0
    starts = {"perhaps": 1, "a little": 2, "very": 4}
    return next((place for start, place in starts.items() if word.startswith(start)), 3)


# --- masses ---------------------------------------------------------------------------------------


def integrated(said: MoodTarget) -> dict[str, float]:
    """The same masses by quadrature in polar coordinates around the middle, scaled by music."""
    precision = np.linalg.inv(np.array(said.spread))
    mid, sd = np.array(MUSIC_MEAN), np.array(MUSIC_SD)

    def density(far: float, turn: float) -> float:
        place = mid + sd * far * np.array([math.cos(turn), math.sin(turn)])
        off = place - (said.valence, said.energy)
        return float(far * np.exp(-off @ precision @ off / 2))

    def edge(turn: float) -> float:
        ways = zip((math.cos(turn), math.sin(turn)), mid, sd, strict=True)
        nearest = min(
            ((way > 0) - at) / (scale * way) for way, at, scale in ways if abs(way) > 1e-9
        )
        return float(nearest)

    masses = dict.fromkeys((*SIDES, BALANCED), 0.0)
    for place, name in enumerate(SIDES):
        middle, half = place * math.pi / 4, math.pi / 8

        def inner(turn: float, middle: float = middle) -> float:
            return DISTANCES[0] / math.cos(turn - middle)

        span, exact = (middle - half, middle + half), {"epsabs": 1e-6, "epsrel": 1e-6}
        masses[BALANCED] += dblquad(density, *span, 0, inner, **exact)[0]
        masses[name] = dblquad(density, *span, inner, edge, **exact)[0]
    whole = sum(masses.values())
    return {name: mass / whole for name, mass in masses.items()}


@pytest.mark.parametrize(
    "said",
    [
        MoodTarget(0.6, 0.3, oblique(0.2, 0.1, 0.0)),
        MoodTarget(0.3, 0.75, oblique(0.15, 0.25, 0.6)),
        MoodTarget(0.95, 0.9, oblique(0.2, 0.2, -0.3)),
        MoodTarget(*MUSIC_MEAN, oblique(*MUSIC_SD, 0.31)),
        MoodTarget(0.4, 0.5, oblique(0.06, 0.08, 0.2)),
    ],
)
def test_masses_are_those_of_an_independent_integration(said: MoodTarget) -> None:
    assert region_masses(said) == pytest.approx(integrated(said), abs=0.002)


@given(MOODS)
def test_masses_are_probabilities_that_add_up(said: MoodTarget) -> None:
    masses = region_masses(said)
    assert all(mass >= 0 for mass in masses.values())
    assert sum(masses.values()) == pytest.approx(1)


@pytest.mark.parametrize("spread", [((0.0, 0.0), (0.0, 0.0)), ((0.01, 0.01), (0.01, 0.01))])
def test_mood_without_any_width_still_has_words(spread: Spread) -> None:
    said = MoodTarget(0.2, 0.2, spread)
    assert sum(region_masses(said).values()) == pytest.approx(1)
    assert "sad" in mood_words(said).word


# --- which word -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (mood(0.15, 0.15, 0.3), "very sad"),
        (mood(0.3, 0.4, 0.6), "sad"),
        (mood(0.8, 0.3, 0.6), "calm"),
        (mood(0.85, 0.61, 0.5), "cheerful"),
        (mood(0.25, 0.85, 0.4), "tense"),
        (mood(0.68, 0.61, 0.4), "a little cheerful"),
        (mood(*MUSIC_MEAN, 0.4), BALANCED),
        (mood(*MUSIC_MEAN, 0.85), HARD_TO_TELL),
        (MoodTarget(0.44, 0.45, oblique(0.2, 0.2, 0)), HARD_TO_TELL),
        (MoodTarget(0.1, 0.1, oblique(*MUSIC_SD, 0.0)), HARD_TO_TELL),
        (fuse(), HARD_TO_TELL),
    ],
)
def test_mood_has_its_word(said: MoodTarget, word: str) -> None:
    assert mood_words(said).word == word


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize(("distance", "sd"), [(0.8, 0.3), (1.2, 0.4), (1.2, 0.7)])
def test_mood_between_two_sides_names_both(place: int, distance: float, sd: float) -> None:
    said = mood_words(towards((place + 0.5) * math.pi / 4, distance, sd)).word
    assert SIDES[place] in said
    assert SIDES[(place + 1) % 8] in said


@pytest.mark.parametrize(
    ("off", "distance", "sd", "word"),
    [
        (0.42, 0.95, 0.5, "a little cheerful or joyful"),
        (0.3, 1.2, 0.4, "cheerful"),
        (0.3, 1.2, 0.7, "cheerful, perhaps a little joyful"),
        (0.42, 1.2, 0.4, "cheerful, perhaps joyful"),
    ],
)
def test_second_side_is_named_as_weakly_as_it_is_borne_out(
    off: float, distance: float, sd: float, word: str
) -> None:
    assert mood_words(towards(off * math.pi / 4, distance, sd)).word == word


def test_balanced_mood_is_surer_the_more_of_it_is_in_the_middle() -> None:
    narrow, wide = (mood_words(mood(*MUSIC_MEAN, sd)) for sd in (0.2, 0.6))
    assert (narrow.word, wide.word) == (BALANCED, BALANCED)
    assert (narrow.certainty, wide.certainty) == ("high", "medium")
    assert narrow.share > 0.99 > 0.7 > wide.share > 0.5


def test_only_a_mood_without_a_side_or_a_middle_is_hard_to_tell() -> None:
    assert mood_words(fuse()).is_hard_to_tell
    assert not mood_words(mood(*MUSIC_MEAN, 0.2)).is_hard_to_tell
    assert not mood_words(mood(0.2, 0.2, 0.2)).is_hard_to_tell


def test_mood_that_may_lie_on_either_of_two_opposite_sides_is_hard_to_tell() -> None:
    said = MoodTarget(*MUSIC_MEAN, oblique(0.25, 0.05, 0.0))
    assert mood_words(said).word == HARD_TO_TELL


@given(MOODS)
def test_word_names_the_side_with_the_most_mass(said: MoodTarget) -> None:
    words = mood_words(said)
    if rank(words.word):
        masses = region_masses(said)
        assert SIDES[side_of(words.word)] == max(SIDES, key=masses.__getitem__)
        assert words.share > 0.5


@given(MOODS)
def test_second_word_is_a_neighbour_and_never_stronger(said: MoodTarget) -> None:
    word = mood_words(said).word
    named = [place for place, name in enumerate(SIDES) if name in word]
    assert len(named) <= 2
    if len(named) == 2:
        assert abs(named[0] - named[1]) in (1, 7)
    assert word.rfind("very") <= 0


@given(MOODS)
def test_strong_word_needs_a_far_mean_and_a_narrow_spread(said: MoodTarget) -> None:
    words = mood_words(said)
    off = (np.array([said.valence, said.energy]) - MUSIC_MEAN) / np.array(MUSIC_SD)
    if words.strength == 3:
        assert math.hypot(*off) > 1.2
        assert relative_width(said) < 0.9
    if words.strength >= 2 and relative_width(said) < 0.5:
        assert math.hypot(*off) > 0.6


@given(st.floats(0, 0.45), DIRECTION, st.floats(0.05, 0.85))
def test_mood_near_the_middle_has_no_strong_word(
    distance: float, direction: float, sd: float
) -> None:
    assert rank(mood_words(towards(direction, distance, sd)).word) <= 2


# --- how words change -----------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(DIRECTION, st.floats(0.05, 0.8))
def test_word_gets_stronger_away_from_the_middle(direction: float, sd: float) -> None:
    ranks = [rank(mood_words(towards(direction, far / 20, sd)).word) for far in range(33)]
    assert ranks == sorted(ranks)


@settings(deadline=None, max_examples=40)
@given(DIRECTION, st.floats(0.6, 1.6))
def test_word_gets_weaker_with_width_until_it_is_hard_to_tell(
    direction: float, distance: float
) -> None:
    said = [mood_words(towards(direction, distance, sd / 20)) for sd in range(2, 21)]
    certainties = [CERTAINTIES.index(words.certainty) for words in said]
    assert certainties == sorted(certainties)
    ranks = [rank(words.word) for words in said]
    assert ranks == sorted(ranks, reverse=True)
    assert said[-1].word == HARD_TO_TELL


@given(UNIT, UNIT, st.floats(0.2, 0.85), DIRECTION)
def test_neighbouring_moods_have_neighbouring_words(
    valence: float, energy: float, sd: float, direction: float
) -> None:
    """A hundredth of the plane on, a word is at most one step stronger and one side further."""
    here = mood(valence, energy, sd)
    there = mood(valence + 0.01 * math.cos(direction), energy + 0.01 * math.sin(direction), sd)
    one, other = mood_words(here), mood_words(there)
    assert abs(one.strength - other.strength) <= 1
    if rank(one.word) and rank(other.word):
        assert abs(side_of(one.word) - side_of(other.word)) in (0, 1, 7)


def test_certainty_follows_the_share_on_the_named_side() -> None:
    sure, unsure = mood_words(mood(0.3, 0.4, 0.5)), mood_words(mood(0.4, 0.5, 0.6))
    assert (sure.certainty, unsure.certainty) == ("high", "medium")
    assert mood_words(fuse()).certainty == "low"
    assert mood_words(fuse()).share == 0


def test_perhaps_a_little_is_of_medium_certainty_however_much_bears_it_out() -> None:
    said = mood_words(MoodTarget(0.56, 0.476, oblique(0.065, 0.05, 0.0)))
    assert (said.word, said.certainty) == ("perhaps a little quiet", "medium")
    assert said.share > 0.95


# --- points ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("valence", "energy", "word"),
    [
        (*MUSIC_MEAN, BALANCED),
        (0.5, 0.55, BALANCED),
        (0.95, 0.95, "very joyful"),
        (0.0, 1.0, "very tense"),
        (0.1, 0.1, "very sad"),
        (0.9, 0.1, "very calm"),
        (0.8, 0.6, "cheerful"),
        (0.2, 0.62, "uneasy"),
        (0.5, 0.85, "energetic"),
        (0.5, 0.45, "a little quiet"),
        (0.51, 1.0, "very energetic"),
    ],
)
def test_point_has_its_word_and_is_certain(valence: float, energy: float, word: str) -> None:
    said = point_words(valence, energy)
    assert (said.word, said.certainty, said.share) == (word, "certain", 1.0)


@pytest.mark.parametrize("eighth", range(8))
def test_word_reaches_22_degrees_to_either_side_of_its_direction(eighth: int) -> None:
    for off, word in ((-22, eighth), (-10, eighth), (10, eighth), (22, eighth), (23, eighth + 1)):
        place = towards(math.radians(45 * eighth + off), 1.2, 0.1)
        assert point_words(place.valence, place.energy).word == SIDES[word % 8]


@given(UNIT, UNIT)
def test_narrow_mood_is_called_as_its_point(valence: float, energy: float) -> None:
    point, narrow = point_words(valence, energy), mood_words(mood(valence, energy, 0.03))
    assert abs(point.strength - narrow.strength) <= 1


def test_width_of_music_is_one() -> None:
    assert relative_width(fuse()) == pytest.approx(1)
    half = oblique(MUSIC_SD[0] / 2, MUSIC_SD[1] / 2, 0.31)
    assert relative_width(MoodTarget(0.5, 0.5, half)) == pytest.approx(0.5)
    assert MUSIC.mean.tolist() == list(MUSIC_MEAN)
