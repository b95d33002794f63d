"""Moves the mood: match it, lift it, or contrast it."""

from __future__ import annotations

import numpy as np

from ml.mood import Gaussian
from recommender.engine.tracks.content import FloatArray

MATCH, LIFT, CONTRAST = 0.0, 0.5, 1.0
# A lift goes this share of the way to the most pleasant, and to the most energetic.
_UP = np.array([0.5, 0.25])


def steer(mood: Gaussian, position: float) -> Gaussian:
    """Return the target mood at a position in [0, 1]; the covariance stays the same.

    At MATCH it is the mood itself; at LIFT it is more pleasant and somewhat more energetic; at
    CONTRAST it lies across the middle of the plane. Between them it moves in straight lines, so
    that music can start where somebody is and go on from there, as in music therapy's iso
    principle (Altshuler 1948).
    """
    lifted = mood.mean + _UP * (1.0 - mood.mean)
    way = np.array([mood.mean, lifted, 1.0 - mood.mean])
    stops = (MATCH, LIFT, CONTRAST)
    mean: FloatArray = np.array([np.interp(position, stops, way[:, axis]) for axis in (0, 1)])
    return Gaussian(mean, mood.covariance)
