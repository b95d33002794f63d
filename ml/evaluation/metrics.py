"""Metrics of a classifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.calibration import calibration_error, reliability
from ml.evaluation.tables import BadData
from ml.types import Float64Array, Int64Array

PART_KEYS = ("n", "accuracy", "interval", "balanced_accuracy", "macro_f1", "ece")
"""Keys of a report that are kept for a part of the rows."""


def share_of(true: NDArray[np.bool_]) -> float | None:
    """Return the share of true values, None if empty."""
    return round(float(true.mean()), 4) if true.size else None


def report(probabilities: Float64Array, labels: Int64Array, names: Sequence[str]) -> dict[str, Any]:
    """Return n, accuracy with its interval, macro F1, ECE, figures per class and per confidence.

    `probabilities` is (n, classes), `labels` (n,) class numbers. Balanced accuracy and macro F1
    are means over the classes that occur; rows of the confusion matrix are the true classes;
    `reliability` lists mean confidence, share that is right and rows of every confidence bin.
    """
    if not len(labels):
        raise BadData("There is no row with one label to measure.")
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    counts = confusion.sum(axis=1)
    recall, precision, f1 = {}, {}, {}
    for k in np.flatnonzero(counts).tolist():
        n_predicted, n_right = int(confusion[:, k].sum()), int(confusion[k, k])
        recall[names[k]] = round(n_right / int(counts[k]), 4)
        precision[names[k]] = round(n_right / n_predicted, 4) if n_predicted else 0.0
        f1[names[k]] = round(2 * n_right / (n_predicted + int(counts[k])), 4)
    accuracy = float((predicted == labels).mean())
    bins = reliability(probabilities.max(axis=1), predicted == labels)
    return {
        "n": len(labels),
        "accuracy": round(accuracy, 4),
        "interval": [round(edge, 4) for edge in interval(accuracy, len(labels))],
        "balanced_accuracy": round(sum(recall.values()) / len(recall), 4),
        "macro_f1": round(sum(f1.values()) / len(f1), 4),
        "ece": round(calibration_error(bins), 4),
        "recall": recall,
        "precision": precision,
        "f1": f1,
        "classes": list(names),
        "confusion": confusion.tolist(),
        "reliability": [[round(sure, 4), round(right, 4), n] for sure, right, n in bins],
    }


def interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share observed in n cases (Wilson 1927)."""
    z = 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def multilabel_f1(
    shares: Float64Array, present: NDArray[np.bool_], thresholds: Float64Array
) -> Float64Array:
    """Return (classes,) F1 of saying each class from its threshold on, where several may be true.

    `shares` and `present` are (n, classes). A class that is neither true nor said has F1 zero.
    """
    predicted = shares >= thresholds
    right = (predicted & present).sum(axis=0)
    return np.asarray(2 * right / np.maximum(predicted.sum(axis=0) + present.sum(axis=0), 1))
