"""Probabilities that mean what they say: temperature scaling (Guo et al. 2017) and its error."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def softmax(logits: ArrayLike, temperature: float = 1.0) -> Floats:
    """Return (n, classes) probabilities of (n, classes) logits divided by the temperature."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def log_loss(logits: ArrayLike, targets: ArrayLike, temperature: float = 1.0) -> float:
    """Return the mean cross-entropy in nats against (n, classes) shares."""
    probabilities = np.clip(softmax(logits, temperature), 1e-12, 1.0)
    return float(-(np.asarray(targets) * np.log(probabilities)).sum(axis=-1).mean())


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    """Return the temperature in [0.2, 5] with the least log loss, to three digits."""
    candidates = np.exp(np.linspace(np.log(0.2), np.log(5.0), 161))
    losses = [log_loss(logits, targets, float(t)) for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 3)


def calibration_error(probabilities: Floats, labels: NDArray[np.int64], bins: int = 15) -> float:
    """Return the expected calibration error in [0, 1] over equally wide confidence bins."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float((right[places == b] - confidence[places == b]).sum())) for b in range(bins)]
    return sum(gaps) / len(labels)


def threshold_for(probabilities: Floats, labels: NDArray[np.int64], precision: float) -> float:
    """Return the lowest confidence at which named classes are right in that share of cases.

    1.0 where no threshold reaches it: then nothing is ever named.
    """
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == labels)[np.argsort(-confidence)]
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(share >= precision)
    return round(float(np.sort(confidence)[::-1][enough[-1]]), 3) if len(enough) else 1.0
