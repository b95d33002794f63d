"""The mood plane: known values and boundaries."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ml.mood import ACTION_VALENCE, MUSIC, PHOTOS, Gaussian, normalised, point, statements
from ml.mood.fusion import (
    FUSION,
    Evidence,
    Fusion,
    combine,
    contradiction,
    evidence,
    fused,
    witnesses,
)
from tests.ml.mood.test_fusion import counted, covariance


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


def evidence_of(says: Gaussian, unknowing: Gaussian) -> Evidence:
    return evidence({"caption": (says, unknowing)})["caption"]


def test_evidence_is_the_precision_beyond_that_of_knowing_nothing() -> None:
    """100 - 25 = 75 and 25 - 4 = 21; pulls 100 * 0.8 - 25 * 0.5 = 67.5, 25 * 0.3 - 4 * 0.6 = 5.1;
    of both, 0.8 counts."""
    says = Gaussian(np.array([0.8, 0.3]), np.diag([0.1**2, 0.2**2]))
    unknowing = Gaussian(np.array([0.5, 0.6]), np.diag([0.2**2, 0.5**2]))
    told = evidence_of(says, unknowing).times(0.8)
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
    [((2.0, 2.0), (0.908, 0.965)), ((-1.0, -1.0), (0.1305, 0.251))],
)
def test_mood_stays_within_the_places_that_anything_seen_speaks_of(
    mean: tuple[float, float], place: tuple[float, float]
) -> None:
    """Hugging, and photos 1.5 standard deviations from the usual one, are the furthest."""
    mood = combine([], Gaussian(np.array(mean), PRIOR.covariance))
    assert (mood.valence, mood.energy) == pytest.approx(place)


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


TRUSTED = Fusion(
    {"emotion": 1.0, "activity": 1.0, "scene": 1.0, "caption": 1.0},
    {"valence": 0.1, "energy": 0.2},
    {"photo": 1.0, "caption": 1.0},
)


def generalised_least_squares(seen: list[Evidence], shared: Any) -> tuple[Any, Any]:
    """Aitken's estimate of the photo's mood and its covariance, from the whole error covariance."""
    n = len(seen)
    errors = np.kron(np.ones((n, n)), shared)
    for k, one in enumerate(seen):
        errors[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] += np.linalg.inv(one.precision)
    design = np.kron(np.ones((n, 1)), np.eye(2))
    places = np.concatenate([np.linalg.solve(one.precision, one.pull) for one in seen])
    weighed = design.T @ np.linalg.inv(errors)
    covariance = np.linalg.inv(weighed @ design)
    return covariance @ weighed @ places, covariance


@pytest.mark.parametrize(
    "names", [("scene",), ("emotion", "scene"), ("emotion", "activity", "scene")]
)
def test_photo_is_the_generalised_least_squares_of_what_is_seen_in_it(
    names: tuple[str, ...],
) -> None:
    every = {
        "emotion": counted((0.8, 0.7), [[60.0, 10.0], [10.0, 30.0]]),
        "activity": counted((0.6, 0.3), np.diag([5.0, 40.0])),
        "scene": counted((0.3, 0.5), np.diag([20.0, 15.0])),
    }
    told = {name: every[name] for name in names}
    photo = witnesses(told, TRUSTED)["photo"]
    mean, covariance = generalised_least_squares([*told.values()], np.diag([0.1**2, 0.2**2]))
    assert np.linalg.inv(photo.precision) == pytest.approx(covariance)
    assert np.linalg.solve(photo.precision, photo.pull) == pytest.approx(mean)


def test_caption_does_not_share_the_error_of_the_photo() -> None:
    """1 / (1/100 + 0.1²) = 50 and 1 / (1/100 + 0.2²) = 20 of the photo; the caption keeps 100."""
    told = {name: counted((0.5, 0.5), np.eye(2) * 100) for name in ("scene", "caption")}
    both = witnesses(told, TRUSTED)
    assert both["photo"].precision == pytest.approx(np.diag([50.0, 20.0]))
    assert both["caption"].precision == pytest.approx(np.diag([100.0, 100.0]))
    mood = fused(told, TRUSTED)
    known = 1 / PHOTOS.covariance.diagonal()
    assert covariance(mood) == pytest.approx(np.diag(1 / (known + np.array([150.0, 120.0]))))


def test_photo_is_widened_as_often_as_learned() -> None:
    """Means 0.2 and 0.6 of equal precision scatter by 0.04; thrice added to 1/100 gives 1/0.13."""
    told = {
        "scene": counted((0.2, 0.5), np.eye(2) * 100),
        "caption": counted((0.6, 0.5), np.eye(2) * 100),
    }
    fusion = replace(
        TRUSTED,
        shared={"valence": 0.0, "energy": 0.0},
        widening={"photo": 3.0, "caption": 0.0},
    )
    mood = fused(told, fusion)
    known = 1 / PHOTOS.covariance[0, 0]
    total = known + 1 / 0.13 + 100
    assert mood.spread[0][0] == pytest.approx(1 / total)
    assert mood.valence == pytest.approx((known * PHOTOS.mean[0] + 0.2 / 0.13 + 0.6 * 100) / total)


def test_disagreement_is_the_distribution_of_the_squared_distance() -> None:
    """Variances .01 and .03 add up to .04: 0.4 apart are two standard deviations, 1 - e^-2."""
    told = {
        "scene": counted((0.2, 0.5), np.diag([100.0, 0.0])),
        "caption": counted((0.6, 0.5), np.diag([1 / 0.03, 50.0])),
    }
    fusion = replace(TRUSTED, shared={"valence": 0.0, "energy": 0.0})
    assert contradiction(told, fusion) == pytest.approx(1 - np.exp(-2))


def test_every_learned_number_is_in_its_range() -> None:
    assert set(FUSION.reliability) == {"emotion", "activity", "scene", "caption"}
    assert all(0 <= share <= 1.5 for share in FUSION.reliability.values())
    assert all(0 <= sd < 0.25 for sd in FUSION.shared.values())
    assert all(times >= 0 for times in FUSION.widening.values())
