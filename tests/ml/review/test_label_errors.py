"""Planted label errors are found."""

import numpy as np
import pytest

from ml.review.label_errors import LEAST, likely_label_errors
from ml.types import Float64Array, Int64Array

N, PLANTED, CLASSES = 1_000, 50, 15


def reviewed(seed: int) -> tuple[Int64Array, Float64Array, set[int]]:
    """Labels with planted errors, the probabilities of a model that is right in about 92 %."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, N)
    logits = rng.normal(size=(N, CLASSES))
    logits[np.arange(N), truth] += 3.4
    stated = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = rng.choice(N, PLANTED, replace=False)
    labels = truth.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, CLASSES, PLANTED)) % CLASSES
    return labels, stated, {int(row) for row in wrong}


@pytest.mark.parametrize("seed", range(3))
def test_most_of_the_first_hundred_are_planted_errors(seed: int) -> None:
    labels, stated, wrong = reviewed(seed)

    found = list(likely_label_errors(labels, stated))[:100]

    assert len(wrong & set(found)) / len(found) >= 0.5
    assert len(wrong & set(found)) >= PLANTED / 2


def test_the_least_likely_label_comes_first() -> None:
    labels, stated, _ = reviewed(0)
    priorities = list(likely_label_errors(labels, stated).values())
    assert priorities == sorted(priorities, reverse=True)


def test_too_few_labels_or_one_class_name_nothing() -> None:
    labels, stated, _ = reviewed(0)
    assert likely_label_errors(labels[: LEAST - 1], stated[: LEAST - 1]) == {}
    assert likely_label_errors(np.zeros_like(labels), stated) == {}
