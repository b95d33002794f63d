"""Predictions against answers."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ml.review.classification import class_scores, confusion, stability_index

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


def test_the_stability_index_is_that_of_its_formula() -> None:
    before, after = {"a": 500_000, "b": 500_000}, {"a": 700_000, "b": 300_000}
    known = 0.2 * np.log(0.7 / 0.5) - 0.2 * np.log(0.3 / 0.5)
    assert stability_index(before, after) == pytest.approx(known, abs=1e-5)
    assert stability_index(before, before) == pytest.approx(0)


def test_a_new_class_leaves_the_stability_index_finite() -> None:
    assert 0 < (stability_index({"a": 100}, {"a": 50, "b": 50}) or 0) < 10
    assert stability_index({"a": 1}, {}) is None
