"""The mood plane: properties that hold for any tags."""

import math
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
    Evidence,
    Gaussian,
    MoodTarget,
    combine,
    evidence,
    fuse,
    normalised,
    point,
    statements,
)
from ml.scene.colour import mood_of

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
MAYBE_CAPTION = MAYBE_EMOTION | st.builds(
    lambda x, y, a, b, c: Gaussian(
        np.array([x, y]), np.array([[a * a, c * a * b], [c * a * b, b * b]])
    ),
    *[st.floats(0, 1)] * 2,
    *[st.floats(0.05, 0.6)] * 2,
    st.floats(-0.9, 0.9),
)
ARGUMENTS = st.fixed_dictionaries(
    {
        "emotion": MAYBE_EMOTION,
        "action": st.none() | shares(ACTIONS),
        "intensity": st.none() | INTENSITY,
        "caption": MAYBE_CAPTION,
        "scene": st.none() | st.builds(mood_of, *[st.floats(-3, 3)] * 2),
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
def test_whatever_is_seen_never_widens_what_the_scene_alone_allows(said: dict[str, Any]) -> None:
    assert is_no_wider(fuse(**said), fuse(scene=said["scene"]))


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
    joy = Gaussian(np.array([0.9, 0.75]), np.eye(2) * 0.1**2)
    laughing = fuse(emotion={"happy": 1.0}, caption=joy, action={"laughing": 1.0})
    most = max(*ACTION_VALENCE.values(), *(valence for valence, _ in EMOTION_ANCHORS.values()))
    assert laughing.valence == pytest.approx(most)


def test_reliability_is_a_share_of_the_precision() -> None:
    trust = {"emotion": 0.5, "caption": 1.0, "activity": 1.0}
    said = statements(emotion={"happy": 1.0})
    whole = evidence(said, dict.fromkeys(trust, 1.0))["emotion"]
    half = evidence(said, trust)["emotion"]
    assert np.allclose(half.precision, whole.precision / 2)


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
    # No more than energetic music is also the happier one.
    assert abs(high.valence - low.valence) < 0.4 * (high.energy - low.energy)


def test_action_moves_valence_by_how_pleasant_it_is() -> None:
    fight, dance = fuse(action={"fighting": 1}), fuse(action={"dancing": 1})
    assert dance.valence - fight.valence > 0.1
    assert dance.energy - fight.energy < 0.5 * (dance.valence - fight.valence)


def test_scene_is_where_the_mood_lies_when_nothing_else_is_known() -> None:
    bright, dark = mood_of(2, 1), mood_of(-2, -1)
    alone = fuse(scene=bright)
    assert (alone.valence, alone.energy) == pytest.approx(tuple(bright.mean))
    assert np.allclose(alone.spread, bright.covariance)
    glad = {"emotion": {"happy": 1.0}}
    apart = fuse(scene=bright).valence - fuse(scene=dark).valence
    assert 0 < fuse(scene=bright, **glad).valence - fuse(scene=dark, **glad).valence < apart


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


# --- values ---------------------------------------------------------------------------------------


def test_music_is_as_wide_and_as_correlated_as_its_figures_say() -> None:
    assert MUSIC.mean.tolist() == [0.510, 0.608]
    assert np.sqrt(MUSIC.covariance.diagonal()) == pytest.approx([0.253, 0.238])
    correlation = MUSIC.covariance[0, 1] / (0.253 * 0.238)
    assert (correlation, MUSIC.covariance[1, 0]) == pytest.approx((0.31, MUSIC.covariance[0, 1]))


def test_mixed_emotions_have_the_mean_and_covariance_of_their_mixture() -> None:
    """Happy (0.905, 0.755) and sad (0.185, 0.365), 3 : 1. They lie (0.72, 0.39) apart, and a
    mixture of two is as wide as its parts, 0.15, and 3/16 of the squared distance."""
    said, _ = statements(emotion={"happy": 0.3, "sad": 0.1})["emotion"]
    assert said.mean == pytest.approx([0.725, 0.6575])
    apart = np.array([0.72, 0.39])
    assert said.covariance == pytest.approx(np.eye(2) * 0.0225 + 3 / 16 * np.outer(apart, apart))


def test_activity_has_valence_by_what_and_energy_by_how_intensely() -> None:
    """Fighting 0.292 and dancing 0.885 alike; low 0.29 and high 0.74, 1 : 2 (2/9 of 0.45²)."""
    said, _ = statements(
        action={"fighting": 0.5, "dancing": 0.5}, intensity={"low": 1.0, "high": 2.0}
    )["activity"]
    assert said.mean == pytest.approx([0.5885, 0.59])
    spread = [0.2965**2 + 0.25**2, 2 / 9 * 0.45**2 + 0.18**2]
    assert said.covariance == pytest.approx(np.diag(spread))


def test_activity_of_unknown_kind_or_intensity_is_any() -> None:
    """8 actions of 15 are low, 3 medium and 4 high by their metabolic equivalents."""
    moving, _ = statements(intensity={"low": 1.0})["activity"]
    doing, unknowing = statements(action={"fighting": 1.0})["activity"]
    assert moving.mean == pytest.approx([sum(ACTION_VALENCE.values()) / 15, 0.29])
    assert doing.mean == pytest.approx([0.292, (8 * 0.29 + 3 * 0.56 + 4 * 0.74) / 15])
    assert unknowing.mean == pytest.approx([moving.mean[0], doing.mean[1]])
    assert statements(action={}, intensity={"low": 0.0}) == {}


def evidence_of(says: Gaussian, unknowing: Gaussian, reliability: float = 1.0) -> Evidence:
    return evidence({"caption": (says, unknowing)}, {"caption": reliability})["caption"]


def test_evidence_is_the_precision_beyond_that_of_knowing_nothing() -> None:
    """100 - 25 = 75 and 25 - 4 = 21; pulls 100 * 0.8 - 25 * 0.5 = 67.5, 25 * 0.3 - 4 * 0.6 = 5.1;
    of both, 0.8 counts."""
    says = Gaussian(np.array([0.8, 0.3]), np.diag([0.1**2, 0.2**2]))
    unknowing = Gaussian(np.array([0.5, 0.6]), np.diag([0.2**2, 0.5**2]))
    told = evidence_of(says, unknowing, 0.8)
    assert told.precision == pytest.approx(0.8 * np.diag([75.0, 21.0]))
    assert told.pull == pytest.approx([0.8 * 67.5, 0.8 * 5.1])
    assert told.mean == pytest.approx([0.8, 0.3])


def test_evidence_keeps_the_direction_of_what_is_said() -> None:
    covariance = np.array([[0.02, 0.01], [0.01, 0.02]])
    told = evidence_of(Gaussian(np.array([0.5, 0.5]), covariance), MUSIC)
    expected = np.linalg.inv(covariance) - np.linalg.inv(MUSIC.covariance)
    assert told.precision == pytest.approx(expected)


def test_modality_that_is_less_sure_than_knowing_nothing_only_moves_the_mean() -> None:
    """Its precision beyond is zero, and it pulls by 25 times the 0.3 between the means."""
    says = Gaussian(np.array([0.8, 0.5]), np.eye(2) * 0.4**2)
    told = evidence_of(says, Gaussian(np.array([0.5, 0.5]), np.eye(2) * 0.2**2))
    assert told.precision == pytest.approx(np.zeros((2, 2)))
    assert told.pull == pytest.approx([7.5, 0.0])


PRIOR = Gaussian(np.array([0.5, 0.6]), np.diag([0.2**2, 0.1**2]))


def test_modality_is_weighed_with_the_prior_by_precision() -> None:
    """Valence (25 * 0.5 + 75 * 0.3) / 100 = 0.35, energy (100 * 0.6 + 300 * 0.4) / 400 = 0.45."""
    mood = combine([counted((0.3, 0.4), np.diag([75.0, 300.0]))], PRIOR)
    assert (mood.valence, mood.energy) == pytest.approx((0.35, 0.45))
    assert covariance(mood) == pytest.approx(np.diag([0.01, 0.0025]))


def test_contradiction_adds_its_variance_to_each_modality() -> None:
    """Valences 0.2 and 0.6, each known to 0.1, scatter by 0.04 around 0.4: as a modality's
    variance is then 0.05, its precision is 20. (25 * 0.5 + 20 * 0.2 + 20 * 0.6) / 65 = 0.43846.
    Energies agree: (100 * 0.6 + 2 * 100 * 0.4) / 300."""
    sure = np.diag([100.0, 100.0])
    mood = combine([counted((0.2, 0.4), sure), counted((0.6, 0.4), sure)], PRIOR)
    assert (mood.valence, mood.energy) == pytest.approx((28.5 / 65, 140 / 300))
    assert covariance(mood) == pytest.approx(np.diag([1 / 65, 1 / 300]))


def test_surer_of_two_counts_more_for_how_far_they_disagree() -> None:
    """Precisions 300 and 100: shares 3/4 and 1/4, middle 0.3, scatter 3/16 of 0.4² = 0.03.
    Then 1 / (1/300 + 0.03) = 30 and 1 / (1/100 + 0.03) = 25, beside 25 of the prior."""
    one, other = (np.diag([p, 0.0]) for p in (300.0, 100.0))
    mood = combine([counted((0.2, 0.4), one), counted((0.6, 0.4), other)], PRIOR)
    assert mood.valence == pytest.approx((25 * 0.5 + 30 * 0.2 + 25 * 0.6) / 80)
    assert covariance(mood)[0, 0] == pytest.approx(1 / 80)
    assert mood.energy == pytest.approx(0.6)


def test_correlated_evidence_turns_the_ellipse_towards_its_direction() -> None:
    """The sum of precisions by numpy; what agrees along the diagonal stays wide along it."""
    precision = np.linalg.inv(np.array([[0.02, 0.015], [0.015, 0.02]]))
    mood = combine([counted((0.4, 0.5), precision)], PRIOR)
    total = precision + np.linalg.inv(PRIOR.covariance)
    assert covariance(mood) == pytest.approx(np.linalg.inv(total))
    assert covariance(mood)[0, 1] > 0.001


@pytest.mark.parametrize(
    ("mean", "place"),
    [((2.0, 2.0), (0.908, 0.835)), ((-1.0, -1.0), (0.18, 0.29))],
)
def test_mood_stays_within_the_places_that_anything_seen_speaks_of(
    mean: tuple[float, float], place: tuple[float, float]
) -> None:
    """Hugging and surprise, fear and low intensity are the furthest."""
    mood = combine([], Gaussian(np.array(mean), PRIOR.covariance))
    assert (mood.valence, mood.energy) == place


@pytest.mark.parametrize("outside", [(-0.01, 0.5), (1.01, 0.5), (0.5, -0.01), (0.5, 1.01)])
def test_point_outside_any_side_is_an_error(outside: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        point(*outside)


def test_point_on_the_edge_is_as_sure_as_a_thumb() -> None:
    for corner in ((0, 0), (1, 1)):
        assert point(*corner).spread == pytest.approx(np.eye(2) * 0.08**2)


def test_weights_are_shares_of_their_sum_and_zeros_are_left_out() -> None:
    assert normalised({"b": 3.0, "a": 1.0, "c": 0.0}, "abc") == {"a": 0.25, "b": 0.75}
    assert normalised({"a": 0.0}, "a") == {}
    # 1e-600 of the sum is no number above zero.
    assert normalised({"a": 1e-300, "b": 1e300}, "ab") == {"b": 1.0}
    with pytest.raises(ValueError, match="finite"):
        normalised({"a": math.inf}, "a")


def test_gaussians_differ_by_either_part_and_from_anything_else() -> None:
    assert Gaussian(MUSIC.mean, MUSIC.covariance) == MUSIC
    assert Gaussian(MUSIC.mean, 2 * MUSIC.covariance) != MUSIC
    assert MUSIC.to_json() != MUSIC
