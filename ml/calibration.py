"""Calibrated probabilities from logits, and conformal sets, with parameters fitted in training."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.types import Float64Array


def softmax(logits: ArrayLike, temperature: float = 1.0, bias: ArrayLike = 0.0) -> Float64Array:
    """Return (n, classes) probabilities of (n, classes) logits / temperature + (classes,) bias."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature + np.asarray(bias)
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def conformal_sets(probabilities: Float64Array, threshold: float) -> NDArray[np.bool_]:
    """Return the conformal set of each row as a mask (n, classes); it is never empty."""
    top = probabilities == probabilities.max(axis=1, keepdims=True)
    return np.asarray(top | (probabilities >= threshold))
