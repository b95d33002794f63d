"""Paired comparison against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from ml.evaluation.paired import compare, difference_interval, mcnemar


def test_the_interval_is_that_of_newcombe_s_example() -> None:
    # Newcombe (1998), table II: 36, 12, 2 and 0 of 50; method 10.
    assert difference_interval(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=1e-4)


@pytest.mark.parametrize(("alone", "other"), [(0, 0), (1, 0), (5, 5), (12, 2), (3, 40)])
def test_mcnemar_is_the_exact_binomial_test(alone: int, other: int) -> None:
    tail = float(binom.cdf(min(alone, other), alone + other, 0.5))
    assert mcnemar(alone, other) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(alone, other) == mcnemar(other, alone)


def test_two_models_that_never_differ_are_close_only_if_many_rows_say_so() -> None:
    right = np.ones(10, dtype=bool)
    few = compare(right, right)
    many = compare(np.tile([True, True, False], 1000), np.tile([True, True, False], 1000))

    assert few
    assert many
    assert (few.difference, few.p, many.difference) == (0.0, 1.0, 0.0)
    assert few.low < -0.2
    assert many.low > -0.002


def test_the_figures_say_who_is_right_alone() -> None:
    serving = np.array([True] * 60 + [False] * 40)
    candidate = np.array([True] * 55 + [False] * 5 + [True] * 20 + [False] * 20)

    pair = compare(serving, candidate)

    assert pair
    assert (pair.n, pair.serving, pair.candidate) == (100, 0.6, 0.75)
    assert (pair.only_serving, pair.only_candidate) == (5, 20)
    assert pair.difference == pytest.approx(0.15)
    assert 0 < pair.low < 0.15 < pair.high
    assert pair.p < 0.01
    assert pair.to_json()["low"] == round(pair.low, 5)


def test_nothing_to_compare_is_no_comparison() -> None:
    assert compare(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)) is None


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(3), 0
    for _ in range(1000):
        both, alone, other, neither = rng.multinomial(200, (0.6, 0.12, 0.08, 0.2))
        low, high = difference_interval(both, alone, other, neither)
        covered += low <= 0.04 <= high
    assert 930 <= covered <= 975
