"""The mood plane: properties that hold for any tags."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.labels import ACTION_INTENSITY, ACTIONS, EMOTIONS, INTENSITIES
from ml.mood import (
    EMOTION_ANCHORS,
    INTENSITY_ANCHORS,
    Gaussian,
    MoodTarget,
    combine,
    fuse,
    point,
)


def shares(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, float]]:
    weights = st.lists(st.floats(0, 1), min_size=len(names), max_size=len(names))
    return weights.filter(lambda w: sum(w) > 1e-3).map(lambda w: dict(zip(names, w, strict=True)))


EMOTION = shares(EMOTIONS)
INTENSITY = shares(INTENSITIES)
MAYBE_EMOTION = st.none() | EMOTION
GAUSSIAN = st.builds(
    lambda x, y, a, b, c: Gaussian(
        np.array([x, y]), np.array([[a * a, c * a * b], [c * a * b, b * b]])
    ),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.05, 0.6),
    st.floats(0.05, 0.6),
    st.floats(-0.9, 0.9),
)


def area(mood: MoodTarget) -> float:
    return float(np.linalg.det(np.array(mood.spread)))


def test_anchors_cover_every_class() -> None:
    assert tuple(EMOTION_ANCHORS) == EMOTIONS
    assert tuple(INTENSITY_ANCHORS) == INTENSITIES
    assert tuple(ACTION_INTENSITY) == ACTIONS


@given(MAYBE_EMOTION, st.none() | INTENSITY, MAYBE_EMOTION)
def test_any_tags_give_a_mood_in_the_unit_square(
    emotion: dict[str, float] | None,
    intensity: dict[str, float] | None,
    caption: dict[str, float] | None,
) -> None:
    mood = fuse(emotion=emotion, intensity=intensity, caption=caption)
    assert 0 <= mood.valence <= 1
    assert 0 <= mood.energy <= 1


@given(MAYBE_EMOTION, st.none() | INTENSITY, MAYBE_EMOTION)
def test_any_tags_give_a_positive_definite_symmetric_spread(
    emotion: dict[str, float] | None,
    intensity: dict[str, float] | None,
    caption: dict[str, float] | None,
) -> None:
    spread = np.array(fuse(emotion=emotion, intensity=intensity, caption=caption).spread)
    assert spread[0, 1] == spread[1, 0]
    assert (np.linalg.eigvalsh(spread) > 0).all()


@given(st.lists(GAUSSIAN, min_size=2, max_size=4))
def test_another_order_gives_the_same_mood(modalities: list[Gaussian]) -> None:
    one, other = combine(modalities), combine(modalities[::-1])
    assert one.valence == pytest.approx(other.valence, abs=1e-9)
    assert one.energy == pytest.approx(other.energy, abs=1e-9)
    assert np.allclose(one.spread, other.spread, atol=1e-9)


@given(EMOTION, EMOTION)
def test_emotion_and_caption_exchanged_give_the_same_mood(
    one: dict[str, float], other: dict[str, float]
) -> None:
    there, back = fuse(emotion=one, caption=other), fuse(emotion=other, caption=one)
    assert (there.valence, there.energy) == pytest.approx((back.valence, back.energy))
    assert np.allclose(there.spread, back.spread)


@given(EMOTION)
def test_agreeing_caption_never_widens(emotion: dict[str, float]) -> None:
    alone, agreed = fuse(emotion=emotion), fuse(emotion=emotion, caption=emotion)
    narrowed = np.array(alone.spread) - np.array(agreed.spread)
    assert (np.linalg.eigvalsh(narrowed) >= -1e-12).all()


@given(EMOTION)
def test_any_emotion_narrows_what_music_alone_allows(emotion: dict[str, float]) -> None:
    narrowed = np.array(fuse().spread) - np.array(fuse(emotion=emotion).spread)
    assert (np.linalg.eigvalsh(narrowed) >= -1e-12).all()


@pytest.mark.parametrize("name", EMOTIONS)
def test_unsure_emotion_is_wider_than_a_sure_one(name: str) -> None:
    unsure = fuse(emotion=dict.fromkeys(EMOTIONS, 1 / 7))
    assert area(unsure) > 1.5 * area(fuse(emotion={name: 1.0}))


@given(st.floats(0.55, 0.95))
def test_less_sure_emotion_stays_nearer_to_the_middle_of_music(sure: float) -> None:
    middle = fuse().valence
    weak = fuse(emotion={"happy": sure, "sad": 1 - sure}).valence
    assert abs(weak - middle) < abs(fuse(emotion={"happy": 1.0}).valence - middle)


def test_contradiction_widens_beyond_either_alone() -> None:
    torn = fuse(emotion={"happy": 1}, caption={"sad": 1})
    assert area(torn) > area(fuse(emotion={"happy": 1}))
    assert 0.35 < torn.valence < 0.7


def test_happy_and_sad_lie_on_their_sides() -> None:
    happy, sad = fuse(emotion={"happy": 1}), fuse(emotion={"sad": 1})
    assert happy.valence > 0.7 > 0.4 > sad.valence
    assert happy.energy > sad.energy


def test_intensity_moves_energy_and_hardly_valence() -> None:
    low, high = fuse(intensity={"low": 1}), fuse(intensity={"high": 1})
    assert high.energy - low.energy > 0.2
    assert abs(high.valence - low.valence) < 0.1


@pytest.mark.parametrize("absent", [None, {}, {"happy": 0.0}])
def test_absent_modality_changes_nothing(absent: dict[str, float] | None) -> None:
    assert fuse(emotion=absent) == fuse()
    assert fuse().valence == pytest.approx(0.51)
    assert fuse().energy == pytest.approx(0.608)


@pytest.mark.parametrize("wrong", [{"bored": 1.0}, {"happy": -0.1}, {"happy": math.nan}])
def test_unknown_class_or_weight_is_an_error(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"unknown classes|probabilities"):
        fuse(emotion=wrong)


@given(st.floats(0, 1), st.floats(0, 1))
def test_point_survives_json(valence: float, energy: float) -> None:
    mood = point(valence, energy)
    assert MoodTarget.from_json(mood.to_json()) == mood
    assert (mood.valence, mood.energy) == (valence, energy)


def test_point_outside_the_plane_is_an_error() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        point(1.2, 0.5)
