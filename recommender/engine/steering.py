"""Move the mood: match it, lift it, or contrast it."""

from __future__ import annotations

import numpy as np

from ml.mood import Gaussian
from recommender.engine.tracks.content import FloatArray

MATCH, LIFT, CONTRAST = 0.0, 0.5, 1.0
# A lift moves the mood by this share of the way to the highest valence and energy.
_UP = np.array([0.5, 0.25])


def steer(mood: Gaussian, position: float) -> Gaussian:
    """Return the target mood at a position in [0, 1]; the covariance stays the same.

    MATCH returns the mood itself, LIFT a more pleasant and somewhat more energetic one, and
    CONTRAST the mood reflected through the centre of the plane. Positions in between are
    interpolated, so that music can start at a person's mood and move away from it, as in music
    therapy's iso principle (Altshuler 1948).
    """
    lifted = mood.mean + _UP * (1.0 - mood.mean)
    path = np.array([mood.mean, lifted, 1.0 - mood.mean])
    stops = (MATCH, LIFT, CONTRAST)
    mean: FloatArray = np.array([np.interp(position, stops, path[:, axis]) for axis in (0, 1)])
    return Gaussian(mean, mood.covariance)
