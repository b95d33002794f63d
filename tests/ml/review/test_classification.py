"""Predictions against answers."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ml.review.classification import (
    calibration_error,
    class_scores,
    confusion,
    reliability,
    stability_index,
)
from ml.training import calibration

NAMES = ["a", "b", "c"]
GENERATOR = np.random.default_rng(5)
TRUE = GENERATOR.choice(NAMES, 300).tolist()
SAID = np.where(GENERATOR.random(300) < 0.5, TRUE, GENERATOR.choice(NAMES, 300)).tolist()


def test_the_confusion_matrix_is_sklearn_s() -> None:
    theirs = confusion_matrix(TRUE, SAID, labels=NAMES)
    assert confusion(TRUE, SAID, NAMES, NAMES).tolist() == theirs.tolist()


def test_scores_are_sklearn_s() -> None:
    found = [(one.precision, one.recall, one.f1, one.n) for one in class_scores(TRUE, SAID, NAMES)]
    theirs = zip(*precision_recall_fscore_support(TRUE, SAID, labels=NAMES), strict=True)
    assert np.allclose(np.array(found, float), list(theirs))


def test_scores_that_nothing_is_known_about_are_none() -> None:
    (never,) = class_scores(["a"], ["a"], ["b"])
    assert (never.precision, never.recall, never.f1, never.n) == (None, None, None, 0)


def test_bins_and_their_error_are_those_of_the_training() -> None:
    probabilities = GENERATOR.dirichlet([1, 1, 1], 400)
    labels = GENERATOR.integers(0, 3, 400)
    right = (probabilities.argmax(axis=1) == labels).tolist()

    bins = reliability(probabilities.max(axis=1).tolist(), right)

    theirs = calibration.reliability(probabilities, labels, 10)
    assert np.allclose([(one.confidence, one.accuracy, one.n) for one in bins], theirs)
    theirs_ece = calibration.calibration_error(probabilities, labels, 10)
    assert calibration_error(bins) == pytest.approx(theirs_ece)


def test_full_confidence_is_in_the_last_bin_and_nothing_has_no_error() -> None:
    assert [one.n for one in reliability([0.95, 1.0], [True, False])] == [2]
    assert calibration_error(reliability([], [])) is None


def test_the_stability_index_is_that_of_its_formula() -> None:
    before, after = {"a": 500_000, "b": 500_000}, {"a": 700_000, "b": 300_000}
    known = 0.2 * np.log(0.7 / 0.5) - 0.2 * np.log(0.3 / 0.5)
    assert stability_index(before, after) == pytest.approx(known, abs=1e-5)
    assert stability_index(before, before) == pytest.approx(0)


def test_a_new_class_leaves_the_stability_index_finite() -> None:
    assert 0 < (stability_index({"a": 100}, {"a": 50, "b": 50}) or 0) < 10
    assert stability_index({"a": 1}, {}) is None
