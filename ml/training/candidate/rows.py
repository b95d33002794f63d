"""What every kind of candidate is trained on: rows of inputs with class numbers."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.types import Int64Array

SAID_EVERY = 10.0
"""Seconds between two lines that say how far a long step is."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """Arrays of n inputs each, and class numbers (n,)."""

    inputs: tuple[NDArray[np.generic], ...]
    labels: Int64Array

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Int64Array) -> "Rows":
        return Rows(tuple(each[rows] for each in self.inputs), self.labels[rows])


def joined(*parts: Rows) -> Rows:
    """Return the rows of all parts that have any; the first part if none has."""
    some = [part for part in parts if len(part)] or [parts[0]]
    inputs = zip(*(part.inputs for part in some), strict=True)
    labels = np.concatenate([part.labels for part in some])
    return Rows(tuple(np.concatenate(each) for each in inputs), labels)


@dataclass(frozen=True)
class Reviewed:
    """Encoded images and labels of one split of an export, and which rows are of the audit."""

    images: list[bytes]
    labels: list[str]
    audit: NDArray[np.bool_]


def read_reviewed(file: Path, split: str, classes: tuple[str, ...]) -> Reviewed:
    """Return a split's rows whose label is one of the classes; none if there is no such file."""
    if not file.is_file():
        return Reviewed([], [], np.zeros(0, dtype=bool))
    table = pq.read_table(file, columns=["image", "label", "split", "audit"]).to_pylist()
    rows = [row for row in table if row["split"] == split and row["label"] in classes]
    audit = np.array([row["audit"] for row in rows], dtype=bool)
    return Reviewed([row["image"] for row in rows], [row["label"] for row in rows], audit)


def batches(n: int, size: int, what: str) -> Iterator[slice]:
    """Yield n rows in batches; say now and then how far it is and how long it will take."""
    started = said = monotonic()
    for start in range(0, n, size):
        yield slice(start, start + size)
        done, now = min(start + size, n), monotonic()
        if now - said >= SAID_EVERY or done == n:
            left = (now - started) * (n - done) / done
            log.info("%s: %d of %d rows, about %.0f s left", what, done, n, left)
            said = now


def sample(n: int, most: int, seed: int) -> Int64Array:
    """Return at most `most` of n row numbers, at random, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])
