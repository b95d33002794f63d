"""Photos for candidates of the action model: base data, reviewed photos, calibration."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ml.action.backbone import TOKENS, WIDTH, encode, preprocess
from ml.calibration import softmax
from ml.images import decoded
from ml.labels import ACTIONS
from ml.training.action.data import part_of
from ml.training.action.publish import PRECISION
from ml.training.calibration import fit_temperature, threshold_for
from ml.training.candidate.rows import Reviewed, Rows, batches, sample
from ml.types import Float64Array, Int64Array

FILE = "vision/har.parquet"
"""The base data, in the data folder."""

BATCH = 16
MOST_BASE = 1500
"""Base photos that are encoded, at 60 ms each, for training; a third as many for validation."""

Run = Callable[..., Any]


def read_base(data: Path, seed: int) -> tuple[Rows, Rows]:
    """Return some training and validation photos of HAR, encoded."""
    parts = (part_of(data / FILE, split) for split in ("train", "val"))
    sizes = (MOST_BASE, MOST_BASE // 3)
    training, validation = (
        _read(data, part.rows[some], part.labels[some])
        for part, most in zip(parts, sizes, strict=True)
        for some in [sample(len(part.rows), most, seed)]
    )
    return training, validation


def read_test(data: Path) -> Rows:
    part = part_of(data / FILE, "test")
    return _read(data, part.rows, part.labels)


def _read(data: Path, rows: Int64Array, labels: Int64Array) -> Rows:
    images = pq.read_table(data / FILE, columns=["image"])["image"]
    return _encoded([images[int(row)].as_py() for row in rows], labels)


def prepare(reviewed: Reviewed) -> Rows:
    """Return reviewed photos as the backbone encodes them."""
    labels = np.array([ACTIONS.index(label) for label in reviewed.labels], dtype=np.int64)
    return _encoded(reviewed.images, labels)


def _encoded(images: Sequence[bytes], labels: Int64Array) -> Rows:
    tokens = np.zeros((len(images), *TOKENS), dtype=np.float16)
    features = np.zeros((len(images), WIDTH), dtype=np.float32)
    for part in batches(len(images), BATCH, "encoding photos"):
        photos = [preprocess(decoded(each, "A photo")) for each in images[part]]
        encoding = encode(photos)
        tokens[part], features[part] = encoding.tokens, encoding.features
    return Rows((tokens, features), np.asarray(labels, dtype=np.int64))


def inputs(rows: Rows, model: Any) -> tuple[Any, ...]:
    """Return what the network takes: tokens, features or both."""
    known = dict(zip(("tokens", "features"), rows.inputs, strict=True))
    return tuple(known[each.name] for each in model.inputs)


def trained_output(model: Any) -> Any:
    """Return the logits; familiarity is a distance between features and isn't trained."""
    return model.outputs[0]


def scores(run: Run, rows: Rows, what: str) -> Float64Array:
    """Return (n, 15) logits; `run` takes what `inputs` returns."""
    each = [
        np.asarray(run(*(each[part] for each in rows.inputs))[0])
        for part in batches(len(rows), BATCH, what)
    ]
    return np.concatenate([np.zeros((0, len(ACTIONS))), *each])


def probabilities(logit: Float64Array, entry: Mapping[str, Any]) -> Float64Array:
    return softmax(logit, entry["temperature"])


def calibrated(logit: Float64Array, validation: Rows) -> dict[str, Any]:
    """Return the entry's temperature and threshold, fitted as those of the shipped model."""
    temperature = fit_temperature(logit, np.eye(len(ACTIONS))[validation.labels])
    sure = softmax(logit, temperature)
    return {
        "temperature": temperature,
        "threshold": threshold_for(sure, validation.labels, PRECISION),
    }
