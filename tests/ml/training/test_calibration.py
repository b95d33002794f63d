"""Calibration and metrics, computed by hand."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from ml.calibration import calibration_error, conformal_sets, reliability, softmax
from ml.evaluation.metrics import report
from ml.training.calibration import (
    conformal_threshold,
    fit_scaling,
    fit_temperature,
    log_loss,
    threshold_for,
)


def test_temperature_of_overconfident_logits_is_found_again() -> None:
    rng = np.random.default_rng(3)
    honest = rng.normal(0, 1.5, (20_000, 4))
    labels = np.array([rng.choice(4, p=row) for row in softmax(honest)])
    assert fit_temperature(honest * 2, np.eye(4)[labels]) == pytest.approx(2, rel=0.06)


def test_scale_and_bias_that_logits_lack_are_found() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, (20_000, 3))
    shares = softmax(logits, 1.6, (0.5, -0.7, 0.2))
    temperature, bias = fit_scaling(logits, shares)
    assert temperature == pytest.approx(1.6, abs=0.01)
    assert bias == pytest.approx([0.5, -0.7, 0.2], abs=0.01)


def test_scaling_leaves_calibrated_logits_alone() -> None:
    rng = np.random.default_rng(6)
    logits = rng.normal(0, 1, (500, 4))
    temperature, bias = fit_scaling(logits, softmax(logits))
    assert temperature == pytest.approx(1, abs=0.01)
    assert bias == pytest.approx([0] * 4, abs=0.01)


@pytest.mark.parametrize(
    ("logits", "targets"),
    [
        ([[4.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]),  # the sharper, the better
        ([[4.0, 0.0], [0.0, 4.0]], [[0.0, 1.0], [1.0, 0.0]]),  # always wrong
        ([[1.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]]),  # the scale doesn't matter
        ([[30.0, -30.0], [-30.0, 30.0], [30.0, -30.0]], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),
        ([[50.0, 0.0], [0.0, 50.0]], [[0.0, 1.0], [0.0, 1.0]]),
    ],
)
def test_scaling_of_a_few_rows_improves_the_fit_and_stays_in_range(
    logits: list[list[float]], targets: list[list[float]]
) -> None:
    temperature, bias = fit_scaling(logits, targets)
    assert 0.2 <= temperature <= 5
    assert np.abs(bias).max() < 100
    scaled = np.array(logits) / temperature + bias
    assert log_loss(scaled, targets) <= log_loss(logits, targets) + 1e-6


def test_softmax_of_huge_logits_stays_finite() -> None:
    assert softmax([[1e4, 0.0]]).tolist() == [[1.0, 0.0]]


def test_threshold_reaches_the_precision_asked_for() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([0, 0, 1, 1])
    assert threshold_for(probabilities, labels, 1.0) == 0.8
    assert threshold_for(probabilities, labels, 0.66) == 0.7
    assert threshold_for(probabilities, 1 - np.zeros(4, dtype=np.int64), 0.5) == 1.0


def test_report_counts_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    result = report(probabilities, np.array([0, 0, 0, 1]), ("a", "b"))
    assert result["accuracy"] == 1.0
    result = report(probabilities, np.array([0, 0, 1, 1]), ("a", "b"))
    assert (result["n"], result["accuracy"], result["balanced_accuracy"]) == (4, 0.75, 0.75)
    assert result["recall"] == {"a": 1.0, "b": 0.5}
    assert result["confusion"] == [[2, 0], [1, 1]]


def test_report_without_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="no row with one label"):
        report(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), ("a", "b"))


def test_conformal_sets_hold_the_true_class_as_often_as_promised() -> None:
    rng = np.random.default_rng(6)
    probabilities = rng.dirichlet(np.ones(7) * 0.4, 6000)
    labels = np.array([rng.choice(7, p=row) for row in probabilities])
    threshold = conformal_threshold(probabilities[:3000], labels[:3000], 0.9)
    inside = conformal_sets(probabilities[3000:], threshold)
    assert inside[np.arange(3000), labels[3000:]].mean() == pytest.approx(0.9, abs=0.02)
    assert inside.any(axis=1).all()


def test_conformal_set_of_a_sure_answer_is_that_answer() -> None:
    inside = conformal_sets(np.array([[0.98, 0.01, 0.01], [0.4, 0.35, 0.25]]), 0.3)
    assert inside.tolist() == [[True, False, False], [True, True, False]]


def test_too_few_rows_to_leave_any_out_give_the_full_set() -> None:
    threshold = conformal_threshold(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), 0.9)
    assert conformal_sets(np.array([[0.99, 0.01]]), threshold).all()


# --- values ---------------------------------------------------------------------------------------


def test_softmax_by_hand() -> None:
    """Logits log 1 and log 9 at temperature 2 are log 1 and log 3; a bias of log 2 doubles one."""
    logits = np.log([[1.0, 9.0]])
    assert softmax(logits)[0] == pytest.approx([0.1, 0.9])
    assert softmax(logits, 2.0)[0] == pytest.approx([1 / 4, 3 / 4])
    assert softmax(logits, 2.0, (np.log(2.0), 0.0))[0] == pytest.approx([2 / 5, 3 / 5])
    assert softmax(logits[0]) == pytest.approx([0.1, 0.9])


def test_log_loss_is_the_mean_surprise_by_hand() -> None:
    """Half of the first row's target is surprised by log 4, half by log 4/3; the other by log 2."""
    logits = np.array([[0.0, np.log(3.0)], [0.0, 0.0]])
    targets = np.array([[0.5, 0.5], [1.0, 0.0]])
    first = 0.5 * np.log(4) + 0.5 * np.log(4 / 3)
    assert log_loss(logits, targets) == pytest.approx((first + np.log(2)) / 2)
    assert log_loss(2.0 * logits, targets, 2.0) == pytest.approx((first + np.log(2)) / 2)
    assert log_loss(logits[0], targets[0]) == pytest.approx(first)


def test_impossible_target_costs_no_more_than_a_chance_of_1e_12() -> None:
    assert log_loss([[0.0, 1e4]], [[1.0, 0.0]]) == pytest.approx(12 * np.log(10))


def test_scaling_is_the_penalised_optimum_that_scipy_finds() -> None:
    """Cross-entropy plus 1e-4 of the squared bias, minimised without our derivatives."""
    rng = np.random.default_rng(8)
    logits = rng.normal(0, 2, (60, 3))
    goal = 0.9 * softmax(logits, 1.0, (1.5, 0.0, -1.5)) + 0.1 * rng.dirichlet([1.0] * 3, 60)

    def loss(at: np.ndarray) -> float:
        scaled = at[0] * logits + at[1:]
        surprise = (goal * (logsumexp(scaled, axis=1, keepdims=True) - scaled)).sum(axis=1)
        return float(surprise.mean() + 1e-4 * np.sum(at[1:] ** 2))

    best = minimize(loss, [0.5, 0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-9}).x
    temperature, bias = fit_scaling(logits, goal)
    assert temperature == pytest.approx(1 / best[0], abs=1e-4)
    assert bias == pytest.approx(best[1:].tolist(), abs=3e-4)
    assert sum(bias) == pytest.approx(0.0, abs=3e-4)


@pytest.mark.parametrize(("logits", "expected"), [(4.0, 0.2), (-4.0, 5.0)])
def test_temperature_stays_within_its_range(logits: float, expected: float) -> None:
    """Logits that are always right want to be sharper than allowed, always wrong ones flatter."""
    assert fit_temperature([[logits, 0.0]], [[1.0, 0.0]]) == pytest.approx(expected)


def test_honest_logits_have_temperature_one() -> None:
    logits = np.random.default_rng(2).normal(0, 2, (500, 3))
    assert fit_temperature(logits, softmax(logits)) == 1.0


def test_reliability_is_counted_in_bins_of_a_fifteenth() -> None:
    """0.61 and 0.66 lie between 9/15 and 10/15, 0.67 beyond; 1.0 shares the last bin with 0.95."""
    confidence = np.array([0.61, 0.66, 0.67, 0.95, 1.0])
    rows = [(0.635, 0.5, 2), (0.67, 1.0, 1), (0.975, 0.5, 2)]
    result = reliability(confidence, [True, False, True, True, False])
    assert [row == pytest.approx(want) for row, want in zip(result, rows, strict=True)] == [
        True
    ] * 3
    # Gaps of 0.135, 0.33 and 0.475, weighted by 2, 1 and 2 of five rows.
    assert calibration_error(result) == pytest.approx((0.27 + 0.33 + 0.95) / 5)


def test_every_wrong_answer_is_a_gap_of_its_whole_confidence() -> None:
    for right, gap in ((False, 0.8), (True, 0.2)):
        assert calibration_error(reliability([0.8] * 4, [right] * 4)) == pytest.approx(gap)


def test_threshold_is_the_lowest_of_those_that_reach_the_precision() -> None:
    """Right, wrong, right, wrong: 1, 1/2, 2/3, 1/2 of those above are right."""
    confidence = np.array([0.6, 0.9, 0.7, 0.8])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([1, 0, 0, 1])
    assert threshold_for(probabilities, labels, 0.5) == 0.6
    assert threshold_for(probabilities, labels, 2 / 3) == 0.7
    assert threshold_for(probabilities, labels, 0.67) == 0.9


@pytest.mark.parametrize(
    ("n", "coverage", "threshold"),
    [
        # A new row takes each of the n + 1 places among the others alike, so the k-th least may be
        # the threshold where k places of n + 1 are no more than may be missed.
        (9, 0.5, 0.05),
        (7, 0.5, 0.04),
        (3, 0.75, 0.01),
        (7, 0.75, 0.02),
        (2, 0.75, 0.0),
        (2, 0.5, 0.01),
    ],
)
def test_conformal_threshold_is_the_kth_least_chance_of_the_truth(
    n: int, coverage: float, threshold: float
) -> None:
    true = np.random.default_rng(0).permutation(np.arange(1, n + 1) / 100)
    probabilities = np.stack([true, 1 - true], axis=1)
    assert conformal_threshold(probabilities, np.zeros(n, np.int64), coverage) == threshold


def test_conformal_set_holds_the_classes_at_the_threshold_and_always_the_likeliest() -> None:
    inside = conformal_sets(np.array([[0.5, 0.25, 0.25], [0.75, 0.125, 0.125]]), 0.25)
    assert inside.tolist() == [[True, True, True], [True, False, False]]
    assert conformal_sets(np.array([[0.5, 0.25, 0.25]]), 0.6).tolist() == [[True, False, False]]
