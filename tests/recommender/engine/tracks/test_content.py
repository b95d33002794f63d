"""Content vectors against published means and standard deviations."""

import numpy as np
import pytest

from recommender.engine.tracks.content import FEATURES, standardise

# Mean and standard deviation of 121,634 tracks, as `engine.tracks.content` quotes them.
AVERAGE = {
    "danceability": (0.5985, 0.1705),
    "acousticness": (0.2919, 0.3094),
    "instrumentalness": (0.1150, 0.2634),
    "loudness": (-8.4976, 4.5104),
    "tempo": (119.8634, 28.6715),
    "mode": (0.6329, 0.4820),
    "valence": (0.5171, 0.2507),
    "energy": (0.6187, 0.2294),
}
# Means and deviations of log(0.02 + value).
AVERAGE_LOG = {"speechiness": (-2.4327, 0.6102), "liveness": (-1.7528, 0.6037)}


def track(deviations: float) -> list[float]:
    """Raw features that lie so many standard deviations above the average."""
    plain = {name: mean + deviations * sd for name, (mean, sd) in AVERAGE.items()}
    logs = {name: np.exp(m + deviations * sd) - 0.02 for name, (m, sd) in AVERAGE_LOG.items()}
    return [(plain | logs)[name] for name in FEATURES]


@pytest.mark.parametrize("deviations", [-0.5, 0.0, 1.0, 2.0])
def test_content_counts_standard_deviations_from_the_average(deviations: float) -> None:
    assert standardise(track(deviations))[0] == pytest.approx([deviations] * 10)


def test_content_is_kept_within_three_deviations_on_both_sides() -> None:
    low, high = standardise([[-1e6] * 10, [1e6] * 10])
    logs = [FEATURES.index(name) for name in AVERAGE_LOG]
    assert high.tolist() == [3.0] * 10
    assert np.delete(low, logs).tolist() == [-3.0] * 8
    # No speech at all is log(0.02): (-3.912 + 2.4327) / 0.6102 and (-3.912 + 1.7528) / 0.6037.
    assert low[logs] == pytest.approx([-2.4243, -3.0], abs=1e-3)
