"""The mood plane: known values and boundaries."""

import math

import numpy as np
import pytest

from ml.mood import (
    ACTION_VALENCE,
    MUSIC,
    Evidence,
    Gaussian,
    combine,
    evidence,
    normalised,
    point,
    statements,
)
from tests.ml.test_mood import counted, covariance


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
