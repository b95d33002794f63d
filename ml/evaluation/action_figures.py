"""Metrics of the action network beyond accuracy: intensity, and photos of no action."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.action.predict import are_named
from ml.evaluation.metrics import interval, report, share_of
from ml.intensity import expected, intensity_of
from ml.labels import ACTION_INTENSITY, ACTIONS, INTENSITIES
from ml.manifest import entry
from ml.types import Float64Array, Int64Array

Figures = dict[str, Any]

TRUE_TAGS = 0.95
"""True positive rate at which `false_tags_at_95` is measured."""


def figures(
    probabilities: Float64Array,
    familiarity: Float64Array,
    labels: Int64Array,
    sources: Sequence[str],
) -> Figures:
    """Return all metrics of (n, 15) probabilities and (n,) familiarities.

    `labels` (n,) are class numbers, -1 for photos that show no action; `sources` (n,) name
    where those come from. `named` has the share of photos with a named action and its accuracy.
    """
    shown = labels >= 0
    names = are_named(probabilities, familiarity)
    sure, right = names[shown], probabilities[shown].argmax(axis=1) == labels[shown]
    result = report(probabilities[shown], labels[shown], ACTIONS)
    result["named"] = {"share": share_of(sure), "accuracy": share_of(right[sure])}
    intensity = _intensity(probabilities[shown], labels[shown])
    result |= {"intensity_accuracy": intensity["accuracy"], "intensity": intensity}
    result["none"] = _no_action(familiarity, names, shown, sources)
    return result


def _intensity(probabilities: Float64Array, labels: Int64Array) -> Figures:
    """Return the accuracy and error of the intensity, whichever the action.

    `error` is the root mean square distance of the expected level from the true one, on a scale
    from 0 (low) to 1 (high); `spread` is its value by the stated uncertainty.
    """
    shares = [intensity_of(dict(zip(ACTIONS, row.tolist(), strict=True))) for row in probabilities]
    predicted = np.array([INTENSITIES.index(max(p, key=lambda k: p[k])) for p in shares])
    true = np.array([INTENSITIES.index(ACTION_INTENSITY[ACTIONS[label]]) for label in labels])
    mean, spread = np.array([expected(p) for p in shares]).T
    error = mean - true / (len(INTENSITIES) - 1)
    confusion = np.zeros((len(INTENSITIES), len(INTENSITIES)), dtype=int)
    np.add.at(confusion, (true, predicted), 1)
    return {
        "accuracy": share_of(predicted == true),
        "error": round(float(np.sqrt((error**2).mean())), 4),
        "spread": round(float(np.sqrt((spread**2).mean())), 4),
        "confusion": confusion.tolist(),
    }


def _no_action(
    familiarity: Float64Array,
    names: NDArray[np.bool_],
    shown: NDArray[np.bool_],
    sources: Sequence[str],
) -> Figures:
    """Return the metrics of photos without an action beside those with one.

    `false_tags` and `true_tags` are the shares of each that are familiar enough for a tag at the
    shipped threshold; `false_tags_at_95` is the former at the threshold where the latter is 0.95 on
    these photos; `named` is the share of photos without an action that get a name.
    """
    n = int((~shown).sum())
    result: Figures = {"n": n, "named": share_of(names[~shown])}
    if not n:
        return result
    familiar = familiarity >= entry("action")["familiarity"]
    at_95 = familiarity >= np.quantile(familiarity[shown], 1 - TRUE_TAGS)
    false_tags = share_of(familiar[~shown])
    result |= {
        "true_tags": share_of(familiar[shown]),
        "false_tags": false_tags,
        "interval": [round(edge, 4) for edge in interval(false_tags or 0.0, n)],
        "false_tags_at_95": share_of(at_95[~shown]),
        "sources": {},
    }
    where = np.array(sources)
    for source in sorted(set(where[~shown].tolist())):
        rows = ~shown & (where == source)
        result["sources"][source] = {
            "n": int(rows.sum()),
            "false_tags": share_of(familiar[rows]),
            "named": share_of(names[rows]),
        }
    return result
