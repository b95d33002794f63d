"""Measure the face detector against boxes, or against counts without boxes."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ml.faces.detection import Detection, detect, overlap
from ml.images import decoded

OVERLAP = 0.4
"""Minimum intersection over union of a match; hand-drawn boxes vary."""

Box = Sequence[float]


def matches(detected: Sequence[Box], marked: Sequence[Box]) -> int:
    """Return how many marked boxes match a found one, one to one, best overlap first."""
    pairs = [(overlap(f, m), i, j) for i, f in enumerate(detected) for j, m in enumerate(marked)]
    used: tuple[set[int], set[int]] = (set(), set())
    for share, i, j in sorted(pairs, reverse=True):
        if share >= OVERLAP and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
    return len(used[0])


def measure_faces(table: pa.Table) -> dict[str, Any]:
    """Return the figures of the detector on rows with `image` and `faces` or `n_faces`.

    `accuracy` is for whether a photo has any face, `balanced_accuracy` its mean over photos with
    and without; `ece` doesn't apply to a detector and is None.
    """
    marked = table["faces"].to_pylist() if "faces" in table.column_names else None
    counts = [len(m or ()) for m in marked] if marked else table["n_faces"].to_pylist()
    if not counts:
        raise ValueError("there is nothing to measure: no rows")
    detected, sizes = [], []
    began = time.perf_counter()
    for row, encoded in enumerate(table["image"].to_pylist()):
        photo = decoded(encoded, f"The image of row {row}")
        detected.append(detect(photo))
        sizes.append(photo.size)
    ms = round((time.perf_counter() - began) * 1000 / len(detected), 2)
    hits = [
        min(len(f), n) if marked is None else matches(_pixels(f, size), marked[k] or ())
        for k, (f, n, size) in enumerate(zip(detected, counts, sizes, strict=True))
    ]
    return _summary(np.array(counts), np.array([len(f) for f in detected]), np.array(hits)) | {
        "ms_per_item": ms
    }


def _pixels(detected: Sequence[Detection], size: tuple[int, int]) -> list[Box]:
    wide, high = size
    return [(b[0] * wide, b[1] * high, b[2] * wide, b[3] * high) for b in (f.box for f in detected)]


def _summary(counts: Any, detected: Any, hits: Any) -> dict[str, Any]:
    right = (counts > 0) == (detected > 0)
    parts = [right[part].mean() for part in (counts > 0, counts == 0) if part.any()]
    return {
        "n": len(counts),
        "accuracy": round(float(right.mean()), 4),
        "balanced_accuracy": round(float(np.mean(parts)), 4),
        "ece": None,
        "same_count": round(float((counts == detected).mean()), 4),
        "faces": int(counts.sum()),
        "recall": round(float(hits.sum() / counts.sum()), 4) if counts.sum() else None,
        "precision": round(float(hits.sum() / detected.sum()), 4) if detected.sum() else None,
    }
