"""Points of the valence x energy plane to search around, spread like the mood's Gaussian."""

from __future__ import annotations

import numpy as np

from ml.mood import Gaussian
from recommender.engine.scoring import LEAST_SD
from recommender.engine.tracks.content import FloatArray

# Rings at these Mahalanobis radii hold the middle and the outer half of the Gaussian's mass.
_RINGS = ((0.0, 1), (0.8, 5), (1.6, 8))


def _unit_points() -> FloatArray:
    angles = [
        (radius, 2.0 * np.pi * (i + 0.5 * ring) / count)
        for ring, (radius, count) in enumerate(_RINGS)
        for i in range(count)
    ]
    return np.array([(r * np.cos(angle), r * np.sin(angle)) for r, angle in angles])


def mood_samples(mood: Gaussian) -> FloatArray:
    """Return points (14, 2) in the unit square, in rings of the covariance around the mean."""
    values, axes = np.linalg.eigh(mood.covariance)
    reach = axes * np.sqrt(np.maximum(values, LEAST_SD**2))
    points: FloatArray = np.clip(mood.mean + _unit_points() @ reach.T, 0.0, 1.0)
    return points


def draws(mood: Gaussian, seed: int, n: int) -> FloatArray:
    """Return points (n, 2) in the unit square drawn from the mood's Gaussian, given the seed."""
    values, axes = np.linalg.eigh(mood.covariance)
    noise = np.random.default_rng(seed).standard_normal((n, 2))
    reach = axes * np.sqrt(np.maximum(values, LEAST_SD**2))
    points: FloatArray = np.clip(mood.mean + noise @ reach.T, 0.0, 1.0)
    return points
