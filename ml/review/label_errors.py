"""Labels that are likely wrong, by confident learning."""

import warnings

import numpy as np

from ml.types import Float64Array, Int64Array

LEAST = 20
"""Below this many labels, the mean confidence of a class says nothing."""


def likely_label_errors(labels: Int64Array, probabilities: Float64Array) -> dict[int, float]:
    """Return {row: priority} of the labels that are likely wrong, likeliest first.

    `labels` is (n,) class numbers that people gave, `probabilities` (n, classes) from a model that
    wasn't trained on them. The priority is one minus the probability of the given label.
    Confident learning (Northcutt et al. 2021, "Confident learning: estimating uncertainty in
    dataset labels", JAIR 70), as cleanlab implements it; it decides how many rows there are.
    """
    from cleanlab.filter import find_label_issues

    seen, given = np.unique(labels, return_inverse=True)
    if len(labels) < LEAST or len(seen) < 2:
        return {}
    stated = probabilities[:, seen] + np.finfo(float).eps  # only classes that anybody named
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that little is known about rare classes
        ranked = find_label_issues(
            given,
            stated / stated.sum(axis=1, keepdims=True),
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
    return {int(row): 1.0 - float(probabilities[row, labels[row]]) for row in ranked}
