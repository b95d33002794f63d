"""Drift of what a model says."""

import math

import numpy as np
import pytest

from ml.review.drift import binned, drift


def test_the_index_is_that_of_the_shares() -> None:
    found = drift(["a"] * 6000 + ["b"] * 4000, ["a"] * 5000 + ["b"] * 5000)

    assert found
    by_hand = (0.5 - 0.6) * math.log(0.5 / 0.6) + (0.5 - 0.4) * math.log(0.5 / 0.4)
    assert found.psi == pytest.approx(by_hand, abs=1e-4)


def test_without_cases_nothing_is_known() -> None:
    assert drift([], ["a"]) is None
    assert drift(["a"], []) is None


def test_a_new_class_counts_without_being_infinite() -> None:
    found = drift(["a"] * 100, ["a"] * 50 + ["b"] * 50)
    assert found
    assert 0.25 < found.psi < 10


def test_where_nothing_moved_the_index_is_what_chance_gives() -> None:
    draw = np.random.default_rng(3)
    indices, by_chance = [], 0.0
    for _ in range(400):
        before, now = (draw.choice(list("abcdefg"), size).tolist() for size in (400, 200))
        found = drift(before, now)
        assert found
        indices.append(found.psi)
        by_chance = found.by_chance
    assert by_chance == pytest.approx(6 * (1 / 400 + 1 / 200))
    assert np.mean(indices) == pytest.approx(by_chance, rel=0.1)


def test_confidences_fall_into_ten_bins() -> None:
    assert binned([0.0, 0.05, 0.1, 0.99, 1.0]) == ["0", "0", "1", "9", "9"]
