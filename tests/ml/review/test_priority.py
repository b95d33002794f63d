"""Words for moods, and how much a prediction deserves a second look."""

import numpy as np
import pytest

from ml.mood import Gaussian
from ml.review.mood_classes import QUADRANTS, feeling_of, quadrant_of
from ml.review.priority import uncertainty


def gaussian(valence: float, sd: float = 0.1) -> Gaussian:
    return Gaussian(np.array([valence, 0.5]), np.eye(2) * sd**2)


def test_every_corner_of_the_plane_is_a_quadrant() -> None:
    corners = [(0.9, 0.9), (0.1, 0.9), (0.9, 0.1), (0.1, 0.1)]
    assert tuple(quadrant_of(*corner) for corner in corners) == QUADRANTS


@pytest.mark.parametrize(
    ("valence", "feeling"),
    [(0.75, "positive"), (0.25, "negative"), (0.55, "neutral"), (0.45, "neutral")],
)
def test_a_feeling_counts_beyond_its_standard_deviation(valence: float, feeling: str) -> None:
    assert feeling_of(gaussian(valence)) == feeling


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        (None, 0.0),
        ({"a": 1.0, "b": 0.0}, 0.0),
        ({"a": 0.5, "b": 0.5}, 1.0),
        ({"a": 0.6, "b": 0.3}, 0.7),
    ],
)
def test_uncertainty_is_what_the_margin_leaves(
    probabilities: dict[str, float] | None, expected: float
) -> None:
    assert uncertainty(probabilities) == pytest.approx(expected)
