"""Calibration and figures of merit on numbers worked out by hand."""

import numpy as np
import pytest

from ml.calibration import (
    calibration_error,
    conformal_sets,
    conformal_threshold,
    fit_scaling,
    fit_temperature,
    softmax,
    threshold_for,
)
from ml.metrics import report


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


def test_softmax_of_huge_logits_stays_finite() -> None:
    assert softmax([[1e4, 0.0]]).tolist() == [[1.0, 0.0]]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.8, 0.2]] * 10)
    labels = np.array([0] * 5 + [1] * 5)
    assert calibration_error(probabilities, labels) == pytest.approx(0.3)


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
    with pytest.raises(ValueError, match="no rows"):
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
