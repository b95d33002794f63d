"""Measure the caption network on labelled texts, for `python -m ml.evaluate caption`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.caption.labels import GROUP, TO_SEVEN
from ml.evaluation.metrics import PART_KEYS, multilabel_f1, report, share_of
from ml.evaluation.mood.figures import correlations
from ml.evaluation.tables import numbers
from ml.labels import EMOTIONS
from ml.manifest import entry
from ml.mood import Gaussian
from ml.training.caption.data import SARCASM, SENTIMENTS
from ml.training.caption.labels import SIX, TO_SIX
from ml.types import Float64Array

Report = dict[str, Any]

MIDDLE = 0.05
"""A caption rated so close to the middle of valence, or closer, has no side."""


def labels_of(table: pa.Table) -> list[list[str]]:
    """Return the labels of each row, none if the label is empty or there is no such column."""
    if "labels" in table.column_names:
        return [list(labels or []) for labels in table["labels"].to_pylist()]
    if "label" not in table.column_names:
        return [[] for _ in range(table.num_rows)]
    return [[label] if label else [] for label in table["label"].to_pylist()]


def are_sentiments(labels: Sequence[Sequence[str]]) -> bool:
    """Return whether the labels are negative, neutral and positive."""
    names = {name for row in labels for name in row}
    return names <= set(SENTIMENTS) and names != {"neutral"} and bool(names)


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


def measure_sentiment(shares: Float64Array, table: pa.Table) -> Report:
    """Return the figures of (n, 3) probabilities of negative, neutral and positive.

    Texts with one label count. With a column `language`, each language's macro F1 and their mean
    too.
    """
    labels = labels_of(table)
    labelled = [k for k, row in enumerate(labels) if len(row) == 1]
    shares, truth = shares[labelled], np.array([SENTIMENTS.index(labels[k][0]) for k in labelled])
    result = report(shares, truth, SENTIMENTS)
    if "language" in table.column_names:
        language = _column(table, "language")[labelled]
        each = {
            str(name): report(shares[language == name], truth[language == name], SENTIMENTS)
            for name in np.unique(language)
        }
        result["languages"] = {
            name: {key: part[key] for key in ("n", "accuracy", "macro_f1")}
            for name, part in each.items()
        }
        mean = np.mean([part["macro_f1"] for part in each.values()])
        result["mean_macro_f1"] = round(float(mean), 4)
    return result


def measure_ratings(moods: Sequence[Gaussian], table: pa.Table) -> Report:
    """Return how closely the moods follow ratings: Pearson's r of valence, and of arousal or
    energy, whichever the table has, with 95 % intervals (Fisher)."""
    means = np.array([mood.mean for mood in moods])
    half = 1.96 / np.sqrt(len(means) - 3) if len(means) > 3 else np.inf
    result: Report = {"n": len(means)}
    for column, axis in (("valence", 0), ("arousal", 1), ("energy", 1)):
        if column in table.column_names:
            (r,) = correlations(means[:, [axis]], numbers(table, column))
            middle = np.arctanh(np.clip(r, -1 + 1e-9, 1 - 1e-9))
            edges = [round(float(np.tanh(middle + sign * half)), 4) for sign in (-1, 1)]
            result |= {f"{column}_r": r, f"{column}_r_interval": edges}
    return result


def sides_of(table: pa.Table) -> NDArray[np.int64]:
    """Return (n,) sides of valence, -1, 0 or 1, from signs or from ratings between 0 and 1."""
    valence = numbers(table, "valence")[:, 0]
    if np.isin(valence, (-1, 0, 1)).all():
        return valence.astype(np.int64)
    return np.asarray(np.sign(valence - 0.5) * (np.abs(valence - 0.5) > MIDDLE), dtype=np.int64)


def measure_signs(moods: Sequence[Gaussian], table: pa.Table) -> Report:
    """Return how often the mood is on the caption's side of the valence axis.

    Captions with a side count in `n` and `right`, by `language` and `kind` too if the table has
    them; ironic ones only in `sarcasm`.
    A mood is decided if its mean is further than its standard deviation from the middle: plain
    facts should not be (`facts_undecided`), nor captions on the wrong side (`misled` and
    `sarcasm_misled`).
    """
    means = np.array([mood.mean[0] for mood in moods]) - 0.5
    decided = np.abs(means) > np.sqrt([mood.covariance[0, 0] for mood in moods])
    side, kind = sides_of(table), _column(table, "kind")
    right, ironic = np.sign(means) == side, kind == SARCASM
    counted = (side != 0) & ~ironic
    result = {
        "n": int(counted.sum()),
        "right": share_of(right[counted]),
        "majority": share_of(side[counted] > 0),
        "right_and_decided": share_of((right & decided)[counted]),
        "misled": int((~right & decided)[counted].sum()),
        "right_with_sarcasm": share_of(right[side != 0]),
        "facts_undecided": share_of(~decided[side == 0]),
        "sarcasm": {"n": int(ironic.sum()), "right": share_of(right[ironic])},
        "sarcasm_misled": share_of((~right & decided)[ironic]),
    }
    for name in ("language", "kind"):
        if name in table.column_names:
            names = _column(table, name)[counted]
            result[f"{name}s"] = _by(names, right[counted], (~right & decided)[counted])
    return result


def _column(table: pa.Table, name: str) -> NDArray[np.str_]:
    there = name in table.column_names
    return np.array(
        [str(value) for value in table[name].to_pylist()] if there else [""] * len(table)
    )


def _by(names: NDArray[np.str_], right: NDArray[np.bool_], misled: NDArray[np.bool_]) -> Report:
    return {
        str(name): {
            "n": int((names == name).sum()),
            "right": share_of(right[names == name]),
            "misled": int(misled[names == name].sum()),
        }
        for name in np.unique(names)
    }
