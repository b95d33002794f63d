"""Shares and their intervals."""

import numpy as np
import pytest
from scipy.stats import binomtest

from ml.review.estimates import Estimate, corrected, estimate, wilson

RUNS = 2_000


# Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I.
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_wilson_gives_the_published_intervals(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right / n, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_gives_what_scipy_gives() -> None:
    for n in (1, 7, 100):
        for right in range(n + 1):
            theirs = binomtest(right, n).proportion_ci(method="wilson")
            assert wilson(right / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_an_evenly_drawn_sample_has_the_plain_interval() -> None:
    found = estimate([True] * 60 + [False] * 40, [0.1] * 100)
    assert found
    assert found.n == 100
    assert (found.share, found.low, found.high) == pytest.approx((0.6, *wilson(0.6, 100)))


@pytest.mark.parametrize("right", [True, False])
def test_unanimous_answers_have_the_plain_interval(right: bool) -> None:
    found = estimate([right] * 20)
    assert found
    assert (found.low, found.high) == pytest.approx(wilson(float(right), 20))


def test_what_was_seldom_drawn_weighs_more() -> None:
    found = estimate([True, True, False], [1.0, 1.0, 0.25])
    assert found
    assert found.share == pytest.approx(2 / 6)


def test_faces_of_one_photo_that_are_all_right_or_all_wrong_count_as_one() -> None:
    right = [True] * 40 + [False] * 40
    alike = estimate(right, clusters=[at // 4 for at in range(80)])
    assert alike
    assert alike.n == 80
    assert (alike.low, alike.high) == pytest.approx(wilson(0.5, 20))


def test_nothing_has_no_estimate() -> None:
    assert estimate([]) is None


def test_perfect_reviewers_need_no_correction() -> None:
    agreed = Estimate(0.8, 0.7, 0.9, 100)
    assert corrected(agreed, Estimate(1.0, 1.0, 1.0, 50), 7) == pytest.approx(agreed)


def test_reviewers_no_better_than_chance_say_nothing() -> None:
    assert corrected(Estimate(0.8, 0.7, 0.9, 100), Estimate(0.3, 0.1, 0.5, 50), 7) is None


def test_reviewers_who_follow_the_model_say_nothing() -> None:
    skill = Estimate(0.64, 0.45, 0.8, 25)
    assert corrected(Estimate(0.89, 0.71, 0.96, 26), skill, 15) is None
    within_chance = corrected(Estimate(0.79, 0.6, 0.9, 26), skill, 15)
    assert within_chance
    assert (within_chance.share, within_chance.high) == (1.0, 1.0)


# --- coverage, with reviewers whose error rates are known ---


@pytest.mark.parametrize("error", [0.02, 0.08, 0.2])
def test_the_interval_against_gold_covers_a_reviewer_s_true_skill(error: float) -> None:
    generator = np.random.default_rng(18)
    answers = generator.random((RUNS, 150)) >= error
    assert 0.93 <= coverage([estimate(run.tolist()) for run in answers], 1 - error) <= 0.97


@pytest.mark.parametrize(("accuracy", "error"), [(0.7, 0.1), (0.85, 0.05), (0.6, 0.2)])
def test_the_corrected_interval_covers_the_model_s_true_accuracy(
    accuracy: float, error: float
) -> None:
    generator = np.random.default_rng(19)
    found = []
    for _ in range(RUNS):
        gold = estimate((generator.random(200) >= error).tolist())
        right, slips = generator.random(300) < accuracy, generator.random(300) < error
        by_chance = generator.random(300) < 1 / 6  # a slip may name the model's wrong class
        agreed = estimate(np.where(right, ~slips, slips & by_chance).tolist())
        assert agreed
        assert gold
        found.append(corrected(agreed, gold, 7))
    assert 0.93 <= coverage(found, accuracy) <= 0.97


def test_the_re_weighted_interval_covers_the_accuracy_on_all_photos() -> None:
    """The model is worse on what is drawn more often, and photos have up to three faces."""
    generator = np.random.default_rng(20)
    photos = 4_000
    hard = generator.random(photos) < 0.3
    inclusion = np.where(hard, 0.12, 0.04)
    easy_photo = generator.random(photos) < 0.5  # all faces of a photo are alike
    chance = np.where(hard, 0.45, 0.75) + np.where(easy_photo, 0.2, -0.2)
    faces = generator.integers(1, 4, photos)
    photo = np.repeat(np.arange(photos), faces)
    truth = (generator.random(len(photo)) < chance[photo]) & (generator.random(len(photo)) > 0.05)

    found = []
    for _ in range(RUNS):
        drawn = (generator.random(photos) < inclusion)[photo]
        who = photo[drawn]
        found.append(estimate(truth[drawn].tolist(), inclusion[who].tolist(), who.tolist()))

    assert 0.93 <= coverage(found, float(truth.mean())) <= 0.97
    biased = np.mean(truth[inclusion[photo] > 0.1])
    assert abs(biased - truth.mean()) > 0.1  # an unweighted share would be far off


def coverage(found: list[Estimate | None], truth: float) -> float:
    return float(np.mean([one is not None and one.low <= truth <= one.high for one in found]))
