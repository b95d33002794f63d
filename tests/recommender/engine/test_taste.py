"""The taste score against a normal model with a normal prior in scipy."""

import numpy as np
import pytest
from scipy.stats import norm

from recommender.engine.taste import WITHIN, Taste, taste_as_quadratic, taste_scores
from recommender.engine.tracks.content import N_FEATURES

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
    result = CONTENT @ linear + CONTENT**2 @ squared
    assert result + constant == pytest.approx(taste_scores(CONTENT, taste))


def test_unknown_taste_scores_nothing() -> None:
    assert taste_scores(CONTENT, Taste.unknown()).tolist() == [0.0] * 5


def test_taste_is_the_mean_of_what_was_saved() -> None:
    """Tracks at 1, 1 and 4: (1 + 1 + 4) / 3 = 2."""
    saved = np.array([1.0, 1.0, 4.0])[:, None].repeat(N_FEATURES, axis=1)
    taste = Taste.of(saved)
    assert (taste.n_choices, taste.mean.tolist()) == (3, [2.0] * N_FEATURES)
