"""The mood plane: properties that hold for any tags."""

import math
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.labels import ACTION_INTENSITY, ACTIONS, EMOTIONS, INTENSITIES
from ml.mood import (
    ACTION_VALENCE,
    EMOTION_ANCHORS,
    INTENSITY_ENERGY,
    MUSIC,
    PHOTOS,
    Gaussian,
    Modalities,
    MoodTarget,
    point,
    statements,
)
from ml.mood.fusion import FUSION, Evidence, combine, disagreement, evidence, fuse, witnesses

Shares = dict[str, float]


def shares(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, float]]:
    weights = st.lists(st.floats(0, 1), min_size=len(names), max_size=len(names))
    return weights.filter(lambda w: sum(w) > 1e-3).map(lambda w: dict(zip(names, w, strict=True)))


def counted(mean: Any, precision: Any) -> Evidence:
    place, weight = np.array(mean), np.array(precision)
    return Evidence(place, weight, weight @ place)


EMOTION = shares(EMOTIONS)
INTENSITY = shares(INTENSITIES)
MAYBE_EMOTION = st.none() | EMOTION
GAUSSIAN = st.builds(
    lambda x, y, a, b, c: Gaussian(
        np.array([x, y]), np.array([[a * a, c * a * b], [c * a * b, b * b]])
    ),
    *[st.floats(0, 1)] * 2,
    *[st.floats(0.05, 0.6)] * 2,
    st.floats(-0.9, 0.9),
)
MAYBE_CAPTION = MAYBE_EMOTION | GAUSSIAN
ARGUMENTS = st.fixed_dictionaries(
    {
        "emotion": MAYBE_EMOTION,
        "action": st.none() | shares(ACTIONS),
        "intensity": st.none() | INTENSITY,
        "caption": MAYBE_CAPTION,
        "scene": st.none() | GAUSSIAN,
    }
)
EVIDENCE = st.builds(
    lambda x, y, a, b, c: counted((x, y), ((a * a, c * a * b), (c * a * b, b * b))),
    *[st.floats(0, 1)] * 2,
    *[st.floats(0, 20)] * 2,
    st.floats(-1, 1),
)


def area(mood: MoodTarget) -> float:
    return float(np.linalg.det(np.array(mood.spread)))


def test_anchors_cover_every_class() -> None:
    assert tuple(EMOTION_ANCHORS) == EMOTIONS
    assert tuple(INTENSITY_ENERGY) == INTENSITIES
    assert tuple(ACTION_INTENSITY) == tuple(ACTION_VALENCE) == ACTIONS


def covariance(mood: MoodTarget) -> Any:
    return np.array(mood.spread)


def is_no_wider(one: MoodTarget, other: MoodTarget) -> bool:
    """Whether the first has the smaller spread, or the same, in every direction."""
    least = np.linalg.eigvalsh(covariance(other) - covariance(one)).min()
    return bool(least >= -1e-9)


@given(ARGUMENTS)
def test_any_story_has_a_mood_in_the_unit_square(said: dict[str, Any]) -> None:
    mood = fuse(**said)
    assert 0 <= mood.valence <= 1
    assert 0 <= mood.energy <= 1


@given(ARGUMENTS)
def test_any_story_has_a_symmetric_positive_definite_spread(said: dict[str, Any]) -> None:
    spread = covariance(fuse(**said))
    assert spread[0, 1] == spread[1, 0]
    assert (np.linalg.eigvalsh(spread) > 0).all()


@given(ARGUMENTS)
def test_whatever_is_seen_never_widens_what_is_known_of_any_story(said: dict[str, Any]) -> None:
    known = fuse(scene=PHOTOS) if said["scene"] else fuse()
    assert is_no_wider(fuse(**said), known)


@given(st.lists(EVIDENCE, min_size=2, max_size=4), st.randoms())
def test_another_order_gives_the_same_mood(modalities: list[Evidence], chance: Random) -> None:
    one = combine(modalities)
    chance.shuffle(modalities)
    other = combine(modalities)
    assert one.valence == pytest.approx(other.valence, abs=1e-9)
    assert one.energy == pytest.approx(other.energy, abs=1e-9)
    assert np.allclose(one.spread, other.spread, atol=1e-9)


@given(st.lists(EVIDENCE, min_size=2, max_size=4), st.floats(0, 1))
def test_modalities_that_move_together_never_widen(modalities: list[Evidence], left: float) -> None:
    middle = np.array([0.4, 0.6])
    nearer = [counted(middle + left * (m.mean - middle), m.precision) for m in modalities]
    assert is_no_wider(combine(nearer), combine(modalities))


@given(st.lists(EVIDENCE, min_size=1, max_size=3), st.floats(0, 20), st.floats(0, 20))
def test_another_modality_in_their_middle_never_widens(
    modalities: list[Evidence], a: float, b: float
) -> None:
    weights = np.array([m.precision.diagonal() for m in modalities]) + 1e-12
    middle = (weights * [m.mean for m in modalities]).sum(axis=0) / weights.sum(axis=0)
    agreeing = counted(middle, np.diag([a * a, b * b]))
    assert is_no_wider(combine([*modalities, agreeing]), combine(modalities))


KNOWING_NOTHING: dict[str, dict[str, Any]] = {
    "emotion": {"emotion": dict.fromkeys(EMOTIONS, 1.0)},
    "caption": {"caption": dict.fromkeys(EMOTIONS, 1.0)},
    "activity": {"action": dict.fromkeys(ACTIONS, 1.0), "intensity": None},
}


@given(ARGUMENTS, st.sampled_from([*KNOWING_NOTHING]))
def test_modality_that_knows_nothing_changes_nothing(said: dict[str, Any], which: str) -> None:
    nothing = KNOWING_NOTHING[which]
    known = fuse(**(said | dict.fromkeys(nothing)))
    unknown = fuse(**(said | nothing))
    assert known.valence == pytest.approx(unknown.valence)
    assert known.energy == pytest.approx(unknown.energy)
    assert np.allclose(known.spread, unknown.spread)


def test_caption_that_says_what_music_is_changes_nothing() -> None:
    smile = {"happy": 0.9, "neutral": 0.1}
    alone, beside = fuse(emotion=smile), fuse(emotion=smile, caption=MUSIC)
    assert alone.spread == beside.spread
    assert (alone.valence, alone.energy) == pytest.approx((beside.valence, beside.energy), abs=0.02)


def test_joy_everywhere_is_no_more_pleasant_than_the_most_pleasant_there_is() -> None:
    laughing = fuse(emotion={"happy": 1.0}, caption=GLAD, action={"laughing": 1.0})
    most = max(*ACTION_VALENCE.values(), *(valence for valence, _ in EMOTION_ANCHORS.values()))
    assert laughing.valence == pytest.approx(most)


def test_reliability_is_a_share_of_the_precision() -> None:
    told = evidence(statements(caption=GLAD))
    trust = {**FUSION.reliability, "caption": 0.5}
    (half,) = witnesses(told, replace(FUSION, reliability=trust)).values()
    assert np.allclose(half.precision, told["caption"].precision / 2)
    assert np.allclose(half.pull, told["caption"].pull / 2)


GLAD = Gaussian(np.array([0.9, 0.75]), np.eye(2) * 0.1**2)
GRIEF = Gaussian(np.array([0.2, 0.4]), np.eye(2) * 0.1**2)
BRIGHT = Gaussian(np.array([0.8, 0.5]), np.diag([0.03, 0.04]))


@given(EMOTION)
def test_agreeing_caption_never_widens(emotion: dict[str, float]) -> None:
    alone, agreed = fuse(emotion=emotion), fuse(emotion=emotion, caption=emotion)
    narrowed = np.array(alone.spread) - np.array(agreed.spread)
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


def test_contradiction_is_wider_than_agreement_and_lies_between() -> None:
    torn = fuse(emotion={"happy": 1}, caption={"sad": 1})
    sad, happy = (fuse(emotion={name: 1}, caption={name: 1}) for name in ("sad", "happy"))
    assert area(torn) > area(sad)
    assert sad.valence < torn.valence < happy.valence


def test_happy_and_sad_lie_on_their_sides() -> None:
    happy, sad = fuse(emotion={"happy": 1}), fuse(emotion={"sad": 1})
    assert happy.valence > 0.7 > 0.4 > sad.valence
    assert happy.energy > sad.energy


def test_intensity_moves_energy_and_hardly_valence() -> None:
    low, high = fuse(intensity={"low": 1}), fuse(intensity={"high": 1})
    assert high.energy - low.energy > 0.2
    # No more than energetic music is also the happier one.
    assert abs(high.valence - low.valence) < 0.4 * (high.energy - low.energy)


def test_action_moves_valence_by_how_pleasant_it_is() -> None:
    fight, dance = fuse(action={"fighting": 1}), fuse(action={"dancing": 1})
    assert dance.valence - fight.valence > 0.1
    assert dance.energy - fight.energy < 0.5 * (dance.valence - fight.valence)


def test_scene_moves_the_mood_and_less_so_beside_a_face() -> None:
    alone = fuse(scene=BRIGHT)
    assert MUSIC.mean[0] + 0.1 < alone.valence < BRIGHT.mean[0] + 0.1
    dark = replace(BRIGHT, mean=np.array([0.2, 0.5]))
    apart = alone.valence - fuse(scene=dark).valence
    glad = {"happy": 1.0}
    both = [fuse(scene=scene, emotion=glad).valence for scene in (BRIGHT, dark)]
    assert 0 < both[0] - both[1] < apart


def test_less_certain_scene_leaves_more_open() -> None:
    vague = replace(BRIGHT, covariance=PHOTOS.covariance * 0.9)
    assert area(fuse(scene=BRIGHT)) < area(fuse(scene=vague))


def test_words_that_say_what_the_day_was_about_count_more_than_a_bright_photo() -> None:
    assert fuse(scene=BRIGHT, caption=GRIEF).valence < 0.45


def test_grief_over_a_bright_photo_is_less_certain_than_over_a_sad_one_and_says_so() -> None:
    sad = replace(BRIGHT, mean=np.array([0.25, 0.45]))
    assert area(fuse(scene=BRIGHT, caption=GRIEF)) > area(fuse(scene=sad, caption=GRIEF))
    assert disagreement(scene=BRIGHT, caption=GRIEF) > 0.8 > disagreement(scene=sad, caption=GRIEF)


@given(ARGUMENTS)
def test_disagreement_is_a_share_and_none_without_a_caption(said: dict[str, Any]) -> None:
    assert 0 <= disagreement(**said) <= 1
    assert disagreement(**(said | {"caption": None})) == 0


@pytest.mark.parametrize("nothing", [{"scene": PHOTOS}, {"caption": MUSIC}])
def test_modality_that_says_nothing_contradicts_nothing(nothing: Modalities) -> None:
    said: Modalities = {"scene": BRIGHT, "caption": GRIEF}
    said.update(nothing)
    assert disagreement(**said) == pytest.approx(0)


@given(ARGUMENTS)
def test_gaussian_survives_json(said: dict[str, Any]) -> None:
    scene = said["scene"] or MUSIC
    assert Gaussian.from_json(scene.to_json()) == scene
    assert hash(Gaussian.from_json(scene.to_json())) == hash(scene)
    assert scene != Gaussian(scene.mean + 0.1, scene.covariance)


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
