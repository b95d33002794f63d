"""Measure the caption network on labelled texts, for `python -m ml.evaluate caption`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.caption.labels import GROUP, TO_SEVEN
from ml.caption.predict import fine_of
from ml.evaluation.metrics import PART_KEYS, multilabel_f1, report, share_of
from ml.labels import EMOTIONS
from ml.manifest import entry
from ml.mood import Gaussian
from ml.training.caption.labels import SIX, TO_SIX
from ml.types import Float64Array

Report = dict[str, Any]

SARCASM = "sarcasm"
"""Kind of ironic captions, which are measured separately."""


def labels_of(table: pa.Table) -> list[list[str]]:
    """Return the labels of each row, none if the label is empty."""
    if "labels" in table.column_names:
        return [list(labels) for labels in table["labels"].to_pylist()]
    return [[label] if label else [] for label in table["label"].to_pylist()]


def unknown_labels(labels: Sequence[Sequence[str]]) -> list[str]:
    """Return the labels that belong to none of the seven emotions."""
    names = {name for row in labels for name in row}
    return sorted(names - set(GROUP) - set(EMOTIONS))


def measure_labels(fine: Float64Array, labels: Sequence[Sequence[str]]) -> Report:
    """Return the figures of (n, 28) probabilities for the labels of n texts.

    Texts whose labels all belong to one of the seven emotions count in `n` and `accuracy`. Where
    the labels are the six of "emotion", which tells love from joy, they are measured as those six
    (probabilities of neutral and disgust, which that collection does not have, are left out) and
    the same in our seven under `seven`. Where texts have several labels, `multilabel` says with
    which macro F1 all of them are found.
    """
    six = all(len(row) <= 1 and set(row) <= set(SIX) for row in labels)
    result = _measure_six(fine, labels) if six else measure_seven(fine, labels)
    if any(len(row) > 1 for row in labels):
        result["multilabel"] = _measure_several(fine, labels)
    return result


HALVES = {"sentence alone": (1.0, 0.0, 1.0), "words alone": (0.0, 1.0, 1.0)}


def measure_halves(logits: Float64Array, labels: Sequence[Sequence[str]]) -> Report:
    """Return the accuracy of each half of the network alone on what `predict_logits` returns."""
    trusted = np.column_stack([logits[:, :-1], np.full(len(logits), np.inf)])
    return {
        name: {"accuracy": measure_labels(fine_of(trusted, pool), labels)["accuracy"]}
        for name, pool in HALVES.items()
    }


def measure_seven(fine: Float64Array, labels: Sequence[Sequence[str]]) -> Report:
    """Return the figures in our seven emotions, of the texts with one emotion."""
    groups = [{GROUP.get(name, name) for name in row} for row in labels]
    single = [k for k, group in enumerate(groups) if len(group) == 1]
    truth = np.array([EMOTIONS.index(next(iter(groups[k]))) for k in single], dtype=np.int64)
    result = report(fine[single] @ TO_SEVEN, truth, EMOTIONS)
    return result | {"several_emotions_left_out": sum(len(group) > 1 for group in groups)}


def _measure_six(fine: Float64Array, labels: Sequence[Sequence[str]]) -> Report:
    labelled = [k for k, row in enumerate(labels) if row]
    shares = fine[labelled] @ TO_SIX
    shares /= shares.sum(axis=1, keepdims=True)
    truth = np.array([SIX.index(labels[k][0]) for k in labelled], dtype=np.int64)
    seven = measure_seven(fine, labels)
    return report(shares, truth, SIX) | {"seven": {key: seven[key] for key in PART_KEYS}}


def _measure_several(fine: Float64Array, labels: Sequence[Sequence[str]]) -> Report:
    present = np.array([[any(GROUP[n] == e for n in row) for e in EMOTIONS] for row in labels])
    by_name = entry("caption")["thresholds"]
    thresholds = np.array([by_name[name] for name in EMOTIONS])
    f1 = multilabel_f1(fine @ TO_SEVEN, present, thresholds)
    return {
        "n": len(labels),
        "macro_f1": round(float(f1.mean()), 4),
        "f1": {name: round(float(value), 4) for name, value in zip(EMOTIONS, f1, strict=True)},
    }


def measure_signs(moods: Sequence[Gaussian], table: pa.Table) -> Report:
    """Return how often the mood is on the caption's side of the valence axis.

    `valence` of the table is -1, 0 or 1. Captions with a side count in `n` and `right`, by
    `language` and `kind` too; ironic ones only in `sarcasm`.
    A mood is decided if its mean is further than its standard deviation from the middle: plain
    facts should not be (`facts_undecided`), nor sarcasm on the wrong side (`sarcasm_misled`).
    """
    means = np.array([mood.mean[0] for mood in moods]) - 0.5
    decided = np.abs(means) > np.sqrt([mood.covariance[0, 0] for mood in moods])
    side = np.array(table["valence"].to_pylist())
    kind, language = (np.array(table[name].to_pylist()) for name in ("kind", "language"))
    right, ironic = np.sign(means) == side, kind == SARCASM
    counted = (side != 0) & ~ironic
    return {
        "n": int(counted.sum()),
        "right": share_of(right[counted]),
        "majority": share_of(side[counted] > 0),
        "right_and_decided": share_of((right & decided)[counted]),
        "right_with_sarcasm": share_of(right[side != 0]),
        "facts_undecided": share_of(~decided[side == 0]),
        "sarcasm": {"n": int(ironic.sum()), "right": share_of(right[ironic])},
        "sarcasm_misled": share_of((~right & decided)[ironic]),
        "languages": _by(language[counted], right[counted]),
        "kinds": _by(kind[counted], right[counted]),
    }


def _by(names: NDArray[np.str_], right: NDArray[np.bool_]) -> Report:
    return {
        str(name): {"n": int((names == name).sum()), "right": share_of(right[names == name])}
        for name in np.unique(names)
    }
