"""Figures of merit of a classifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.calibration import Floats, calibration_error


def report(
    probabilities: Floats, labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, Any]:
    """Return n, accuracy, balanced accuracy, ECE, recall per class and the confusion matrix.

    `probabilities` is (n, classes), `labels` (n,) class numbers. Balanced accuracy is the mean
    recall over the classes that occur; rows of the confusion matrix are the true classes.
    """
    if not len(labels):
        raise ValueError("there is nothing to measure: no rows")
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    counts = confusion.sum(axis=1)
    recall = {
        name: round(confusion[k, k] / counts[k], 4) for k, name in enumerate(names) if counts[k]
    }
    return {
        "n": len(labels),
        "accuracy": round(float((predicted == labels).mean()), 4),
        "balanced_accuracy": round(sum(recall.values()) / len(recall), 4),
        "ece": round(calibration_error(probabilities, labels), 4),
        "recall": recall,
        "classes": list(names),
        "confusion": confusion.tolist(),
    }
