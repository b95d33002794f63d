"""Fit calibration (temperature and vector scaling, Guo et al. 2017)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from ml.calibration import softmax
from ml.types import Float64Array, Int64Array


def fit_scaling(logits: ArrayLike, targets: ArrayLike) -> tuple[float, list[float]]:
    """Return the temperature and the (classes,) bias that fit softmax(logits / temperature + bias).

    Vector scaling (Guo et al. 2017) with one scale for all classes: the bias corrects how often
    each class is predicted, which soft targets shift. Damped Newton's method on the log loss
    against (n, classes) shares; a weak ridge penalty on the bias makes the solution unique. The
    temperature stays in [0.2, 5], because shares that logits predict perfectly have no best one.
    """
    z, goal = np.asarray(logits, np.float64), np.asarray(targets, np.float64)
    n, classes = z.shape
    pull = np.diag([0.0] + [2e-4] * classes)
    turned = np.concatenate(
        [z[..., None], np.broadcast_to(np.eye(classes), (n, classes, classes))], 2
    )
    parameters = np.array([1.0] + [0.0] * classes)

    def loss(at: Float64Array) -> float:
        return float(-(goal * log_softmax(turned @ at, axis=1)).sum() / n + at @ pull @ at / 2)

    for _ in range(50):
        p = softmax(turned @ parameters)
        gradient = np.einsum("nkj,nk->j", turned, p - goal) / n + pull @ parameters
        mean = np.einsum("nkj,nk->nj", turned, p)
        curved = np.einsum("nkj,nk,nki->ji", turned, p, turned) / n - mean.T @ mean / n + pull
        step = np.linalg.lstsq(curved, gradient)[0]
        previous, least = parameters, loss(parameters)
        for _ in range(60):
            parameters = previous - step
            parameters[0] = np.clip(parameters[0], 0.2, 5.0)
            if np.abs(step).max() < 1e-9 or loss(parameters) <= least + 1e-12:
                break
            step /= 2
        if np.abs(parameters - previous).max() < 1e-9:
            break
    return round(1 / float(parameters[0]), 4), parameters[1:].round(4).tolist()


def log_loss(logits: ArrayLike, targets: ArrayLike, temperature: float = 1.0) -> float:
    """Return the mean cross-entropy in nats against (n, classes) shares."""
    probabilities = np.clip(softmax(logits, temperature), 1e-12, 1.0)
    return float(-(np.asarray(targets) * np.log(probabilities)).sum(axis=-1).mean())


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    """Return the temperature in [0.2, 5] with the lowest log loss, to three digits."""
    candidates = np.exp(np.linspace(np.log(0.2), np.log(5.0), 161))
    losses = [log_loss(logits, targets, float(t)) for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 3)


def threshold_for(probabilities: Float64Array, labels: Int64Array, precision: float) -> float:
    """Return the lowest confidence threshold whose predictions reach this precision.

    1.0 if none does: then no class is ever named.
    """
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == labels)[np.argsort(-confidence)]
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(share >= precision)
    return round(float(np.sort(confidence)[::-1][enough[-1]]), 3) if len(enough) else 1.0


def conformal_threshold(probabilities: Float64Array, labels: Int64Array, coverage: float) -> float:
    """Return the probability threshold of conformal sets with this coverage.

    Split conformal prediction with one minus the true class's probability as the score (Sadinle,
    Lei and Wasserman 2019): on data like these (n, classes) rows, which must not be training
    data, the classes at or above it include the true one in at least `coverage` of the cases.
    """
    true = np.sort(probabilities[np.arange(len(labels)), labels])
    left_out = int(np.floor((len(labels) + 1) * (1 - coverage)))
    return float(true[left_out - 1]) if left_out else 0.0
