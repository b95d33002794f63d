"""Irony in captions: a suspicion widens the mood and never decides it.

`ml.training.caption.irony` has the captions that the linear classifier is trained on.
"""

import numpy as np

from ml.mood import Gaussian


def with_irony(mood: Gaussian, irony: float) -> Gaussian:
    """Return the mood of a caption that is ironic with this probability.

    It has the moments of the mixture of the mood and its mirror image in valence. Only a pleasant
    mood changes: people hardly ever write unhappy words when they are happy.
    """
    if mood.mean[0] <= 0.5:
        return mood
    apart = np.array([2 * (mood.mean[0] - 0.5), 0.0])
    scatter = irony * (1 - irony) * np.outer(apart, apart)
    return Gaussian(mood.mean - irony * apart, mood.covariance + scatter)
