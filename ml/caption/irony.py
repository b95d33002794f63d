"""Captions that mean the opposite of their words: found roughly, and never decided upon.

No large collection of ironic captions in many languages was at hand. `written/irony.csv` holds a
few dozen pairs that we wrote: irony, and sincere captions with the same words. A linear classifier
on the sentence embedding learns from them (`ml.training.caption.logistic`); what it
suspects only widens the mood.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.mood import Gaussian

Floats = NDArray[np.float64]

WRITTEN = Path(__file__).with_name("written")

PRIOR = 0.1
"""Share of ironic captions that is assumed; among tweets it is a tenth or less."""


def written() -> tuple[list[str], Floats]:
    """Return the captions of irony.csv (n) and which are ironic (n,) as 0 or 1, and the sincere
    ones of development.csv with them."""
    with (WRITTEN / "irony.csv").open() as stream:
        rows = [(row["text"], float(row["ironic"])) for row in csv.DictReader(stream)]
    with (WRITTEN / "development.csv").open() as stream:
        sincere = [row["text"] for row in csv.DictReader(stream) if row["kind"] != "sarcasm"]
    rows += [(text, 0.0) for text in sincere]
    return [text for text, _ in rows], np.array([ironic for _, ironic in rows])


def doubted(mood: Gaussian, irony: float) -> Gaussian:
    """Return the mood of a caption that means the opposite with this probability.

    The moments of the mixture of the mood and its mirror image in valence. Only what sounds
    pleasant is doubted: hardly anybody complains who is glad.
    """
    if mood.mean[0] <= 0.5:
        return mood
    apart = np.array([2 * (mood.mean[0] - 0.5), 0.0])
    scatter = irony * (1 - irony) * np.outer(apart, apart)
    return Gaussian(mood.mean - irony * apart, mood.covariance + scatter)
