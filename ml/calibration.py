"""Calibrated probabilities from logits, conformal sets, and how far they are from the truth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.types import Float64Array


class Bin(NamedTuple):
    """Predictions of similar confidence: how sure the model was and how often it was right."""

    confidence: float
    accuracy: float
    n: int


def softmax(logits: ArrayLike, temperature: float = 1.0, bias: ArrayLike = 0.0) -> Float64Array:
    """Return (n, classes) probabilities of (n, classes) logits / temperature + (classes,) bias."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature + np.asarray(bias)
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def conformal_sets(probabilities: Float64Array, threshold: float) -> NDArray[np.bool_]:
    """Return the conformal set of each row as a mask (n, classes); it is never empty."""
    top = probabilities == probabilities.max(axis=1, keepdims=True)
    return np.asarray(top | (probabilities >= threshold))


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> list[Bin]:
    """Return the equally wide confidence bins that aren't empty."""
    sure, true = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    places = np.minimum((sure * bins).astype(int), bins - 1)
    there = [places == place for place in np.unique(places)]
    return [Bin(float(sure[b].mean()), float(true[b].mean()), int(b.sum())) for b in there]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error in [0, 1] of reliability bins, at least one."""
    return sum(n * abs(accuracy - sure) for sure, accuracy, n in bins) / sum(b.n for b in bins)
