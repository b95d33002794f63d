"""The taste's score against the normal model with a normal prior, written out with scipy."""

import numpy as np
import pytest
from scipy.stats import norm

from recommender.engine.content import N_FEATURES
from recommender.engine.taste import WITHIN, Taste, taste_as_quadratic, taste_scores

RNG = np.random.default_rng(0)
CONTENT = RNG.normal(size=(5, N_FEATURES))
MEAN = RNG.normal(size=N_FEATURES)


def predicted(mean: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Posterior predictive of a normal mean: precisions add up (Gelman et al., BDA, section 2.5).

    The person's mean has the prior N(0, 1 - WITHIN); each of n tracks has the variance WITHIN.
    """
    posterior_precision = 1 / (1 - WITHIN) + n / WITHIN
    return (n / WITHIN) * mean / posterior_precision, WITHIN + 1 / posterior_precision


@pytest.mark.parametrize("n", [1, 2, 30])
def test_score_is_the_log_likelihood_ratio_of_person_and_everybody(n: int) -> None:
    mean, variance = predicted(MEAN, n)
    person = norm(mean, np.sqrt(variance)).logpdf(CONTENT).sum(axis=1)
    everybody = norm(0, 1).logpdf(CONTENT).sum(axis=1)
    assert taste_scores(CONTENT, Taste(MEAN, n)) == pytest.approx(person - everybody)


@pytest.mark.parametrize("n", [0, 1, 30])
def test_quadratic_gives_the_score_but_for_a_constant(n: int) -> None:
    taste = Taste(MEAN, n) if n else Taste.unknown()
    linear, squared = taste_as_quadratic(taste)
    constant = taste_scores(np.zeros((1, N_FEATURES)), taste)
    told = CONTENT @ linear + CONTENT**2 @ squared
    assert told + constant == pytest.approx(taste_scores(CONTENT, taste))


def test_unknown_taste_scores_nothing() -> None:
    assert taste_scores(CONTENT, Taste.unknown()).tolist() == [0.0] * 5


def test_taking_back_the_only_choice_leaves_an_unknown_taste() -> None:
    left = Taste(MEAN, 1).without_choice(MEAN + 0.5)
    assert (left.n_choices, left.mean.tolist()) == (0, [0.0] * N_FEATURES)


def test_choices_move_the_mean_by_their_share() -> None:
    """Two tracks at 1, then one at 4: (1 + 1 + 4) / 3 = 2; without one at 1: (1 + 4) / 2."""
    one, four = np.full(N_FEATURES, 1.0), np.full(N_FEATURES, 4.0)
    three = Taste(one, 2).with_choice(four)
    assert (three.n_choices, three.mean[0]) == (3, pytest.approx(2.0))
    two = three.without_choice(one)
    assert (two.n_choices, two.mean[0]) == (2, pytest.approx(2.5))
