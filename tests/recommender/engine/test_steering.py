"""Steered moods, computed by hand."""

import numpy as np
import pytest

from ml.mood import Gaussian
from recommender.engine.steering import steer

SPREAD = np.array([[0.02, 0.01], [0.01, 0.03]])


@pytest.mark.parametrize(
    ("position", "mean"),
    [
        (0.0, (0.2, 0.4)),
        # Half of the way up from 0.2 is 0.6, a quarter of that from 0.4 is 0.55.
        (0.5, (0.6, 0.55)),
        (1.0, (0.8, 0.6)),
        (0.25, (0.4, 0.475)),
        (0.75, (0.7, 0.575)),
    ],
)
def test_position_leads_along_straight_lines(position: float, mean: tuple[float, float]) -> None:
    steered = steer(Gaussian(np.array([0.2, 0.4]), SPREAD), position)
    assert steered.mean == pytest.approx(mean)
    assert (steered.covariance == SPREAD).all()
