"""Mood samples and draws have the mood's mean and covariance."""

import numpy as np
import pytest

from ml.mood import Gaussian
from recommender.engine.mood_samples import draws, mood_samples

MIDDLE = np.array([0.5, 0.5])
LEANING = np.array([[0.01, 0.006], [0.006, 0.02]])


def distances(points: np.ndarray, mood: Gaussian) -> list[float]:
    """Mahalanobis distances to the mean, by the definition."""
    off = points - mood.mean
    return [float(np.sqrt(row @ np.linalg.inv(mood.covariance) @ row)) for row in off]


def test_aims_are_the_middle_and_two_rings_of_the_ellipse() -> None:
    mood = Gaussian(MIDDLE, LEANING)
    assert distances(mood_samples(mood), mood) == pytest.approx([0.0] + [0.8] * 5 + [1.6] * 8)


def test_rings_are_evenly_spaced_and_the_inner_one_stands_in_the_gaps_of_the_outer() -> None:
    x, y = (mood_samples(Gaussian(MIDDLE, np.eye(2) * 0.1**2)) - MIDDLE).T
    turns = np.round(np.degrees(np.arctan2(y, x))) % 360
    assert sorted(turns[1:6]) == [36, 108, 180, 252, 324]
    assert sorted(turns[6:]) == [0, 45, 90, 135, 180, 225, 270, 315]


def test_aims_of_a_mood_without_spread_keep_the_least_one() -> None:
    around = np.linalg.norm(mood_samples(Gaussian(MIDDLE, np.zeros((2, 2)))) - MIDDLE, axis=1)
    assert around == pytest.approx([0.0] + [0.05 * 0.8] * 5 + [0.05 * 1.6] * 8)


def test_draws_spread_as_the_mood_does() -> None:
    points = draws(Gaussian(MIDDLE, LEANING), seed=1, n=20_000)
    assert points.mean(axis=0) == pytest.approx(MIDDLE, abs=0.005)
    assert np.cov(points.T) == pytest.approx(LEANING, abs=0.0007)


def test_draws_are_the_noise_of_their_seed_on_the_scale_of_the_mood() -> None:
    noise = np.random.default_rng(3).standard_normal((6, 2))
    wide, narrow = (Gaussian(MIDDLE, np.eye(2) * sd**2) for sd in (0.1, 0.01))
    assert draws(wide, seed=3, n=6) == pytest.approx(MIDDLE + 0.1 * noise)
    assert draws(narrow, seed=3, n=6) == pytest.approx(MIDDLE + 0.05 * noise)
