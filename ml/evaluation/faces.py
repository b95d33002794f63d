"""Measure the face detector against boxes, or against counts without boxes."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ml.evaluation.metrics import interval, share_of
from ml.faces.detection import Detection, overlap
from ml.faces.people import find_people
from ml.images import decoded

OVERLAP = 0.4
"""Minimum intersection over union of a match; hand-drawn boxes vary."""

Box = Sequence[float]


def matches(found: Sequence[Box], marked: Sequence[Box]) -> int:
    """Return how many marked boxes match a found one, one to one, best overlap first."""
    pairs = [(overlap(f, m), i, j) for i, f in enumerate(found) for j, m in enumerate(marked)]
    used: tuple[set[int], set[int]] = (set(), set())
    for share, i, j in sorted(pairs, reverse=True):
        if share >= OVERLAP and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
    return len(used[0])


def measure_faces(table: pa.Table) -> dict[str, Any]:
    """Return the figures of the detector on rows with `image` and `faces` or `n_faces`.

    `false` has the share of pictures without a face in which one is found, for each `kind` (a
    column). `accuracy` is for whether a photo has any face, `balanced_accuracy` its mean over
    photos with and without; `ece` doesn't apply to a detector and is None.
    """
    marked = table["faces"].to_pylist() if "faces" in table.column_names else None
    counts = [len(m or ()) for m in marked] if marked else table["n_faces"].to_pylist()
    found, sizes = [], []
    began = time.perf_counter()
    for row, encoded in enumerate(table["image"].to_pylist()):
        photo = decoded(encoded, f"The image of row {row}")
        found.append(find_people(photo))
        sizes.append(photo.size)
    ms = round((time.perf_counter() - began) * 1000 / len(found), 2)
    hits = [
        min(len(f), n) if marked is None else matches(_pixels(f, size), marked[k] or ())
        for k, (f, n, size) in enumerate(zip(found, counts, sizes, strict=True))
    ]
    numbers = np.array([len(f) for f in found])
    kinds = table["kind"].to_pylist() if "kind" in table.column_names else ["all"] * len(found)
    return _summary(np.array(counts), numbers, np.array(hits)) | {
        "false": _false(np.array(counts), numbers, np.array(kinds)),
        "ms_per_item": ms,
    }


def _false(counts: Any, found: Any, kinds: Any) -> dict[str, Any]:
    """Return for each kind of picture without a face in how many one is found nevertheless."""
    rows = {kind: (kinds == kind) & (counts == 0) for kind in sorted(set(kinds.tolist()))}
    return {
        kind: {
            "n": int(row.sum()),
            "share": share_of(found[row] > 0),
            "interval": [
                round(edge, 4) for edge in interval((found[row] > 0).mean(), int(row.sum()))
            ],
        }
        for kind, row in rows.items()
        if row.any()
    }


def _pixels(found: Sequence[Detection], size: tuple[int, int]) -> list[Box]:
    wide, high = size
    return [(b[0] * wide, b[1] * high, b[2] * wide, b[3] * high) for b in (f.box for f in found)]


def _summary(counts: Any, found: Any, hits: Any) -> dict[str, Any]:
    right = (counts > 0) == (found > 0)
    parts = [right[part].mean() for part in (counts > 0, counts == 0) if part.any()]
    return {
        "n": len(counts),
        "accuracy": round(float(right.mean()), 4),
        "balanced_accuracy": round(float(np.mean(parts)), 4),
        "ece": None,
        "same_count": round(float((counts == found).mean()), 4),
        "faces": int(counts.sum()),
        "recall": round(float(hits.sum() / counts.sum()), 4) if counts.sum() else None,
        "precision": round(float(hits.sum() / found.sum()), 4) if found.sum() else None,
    }
