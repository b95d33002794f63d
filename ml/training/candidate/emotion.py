"""Faces for candidates of the emotion model: base data, reviewed faces, calibration."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.calibration import softmax
from ml.emotion.photo import view
from ml.emotion.predict import LABELLED, SIDE, logits
from ml.images import decoded
from ml.labels import EMOTIONS
from ml.training.calibration import conformal_threshold, fit_scaling, threshold_for
from ml.training.candidate.rows import Reviewed, Rows, batches
from ml.training.emotion import data as fer2013
from ml.training.emotion.publish import COVERAGE, LOGIT_SHIFTS, NAMED_RIGHT, with_shifts
from ml.types import Float32Array, Float64Array

FILE = "vision/fer2013.parquet"
"""The base data, in the data folder."""

BATCH = 128

Run = Callable[..., Any]


def read_base(data: Path, seed: int) -> tuple[Rows, Rows]:
    """Return the training and validation faces of FER-2013."""
    training, validation = fer2013.read_training(data / FILE, seed=seed)
    return _rows(training), _rows(validation)


def read_test(data: Path) -> Rows:
    """Return both test parts of FER-2013 without copies of training images."""
    faces, table = fer2013.read_test(data / FILE)
    if "copy_in_train" in table.column_names:
        copied = table["copy_in_train"].to_numpy(zero_copy_only=False).astype(bool)
        faces = faces.take(np.flatnonzero(~copied))
    return _rows(faces)


def prepare(reviewed: Reviewed) -> Rows:
    """Return reviewed faces framed as the serving model gets them."""
    labels = np.array([EMOTIONS.index(label) for label in reviewed.labels], dtype=np.int64)
    return Rows((_framed(reviewed.images),), labels)


def _framed(images: list[bytes]) -> NDArray[np.uint8]:
    faces = np.zeros((len(images), SIDE, SIDE), dtype=np.uint8)
    for one in batches(len(images), 1, "framing reviewed faces"):
        seen = view(decoded(images[one.start], f"The face of row {one.start}"))
        faces[one.start] = seen.crops[int(seen.weights.argmax())]
    return faces


def inputs(rows: Rows, model: Any) -> tuple[Float32Array, ...]:
    """Return what the network is trained on: the middle of each face."""
    return (fer2013.centre(np.asarray(rows.inputs[0]), model.input.shape[1]).astype(np.float32),)


def trained_output(model: Any) -> Any:
    """Return the logits that reviews say something about; those of voters stay as they are."""
    return model.outputs[0][:, LABELLED]


def scores(run: Run, rows: Rows, what: str) -> Float64Array:
    """Return (n, 7) logits, averaged over the views that the serving model looks at."""
    faces = np.asarray(rows.inputs[0])
    some = (faces[part] for part in batches(len(faces), BATCH, what))
    each = [logits(run, part)[:, LABELLED] for part in some]
    return np.concatenate([np.zeros((0, len(EMOTIONS))), *each])


def probabilities(logit: Float64Array, entry: Mapping[str, Any]) -> Float64Array:
    return softmax(logit, *entry["label"])


def calibrated(logit: Float64Array, validation: Rows) -> dict[str, Any]:
    """Return the entry's calibration and thresholds, fitted as those of the shipped model."""
    label = with_shifts(LOGIT_SHIFTS, *fit_scaling(logit, np.eye(len(EMOTIONS))[validation.labels]))
    sure = softmax(logit, *label)
    return {
        "label": label,
        "threshold": threshold_for(sure, validation.labels, NAMED_RIGHT),
        "conformal": {
            "coverage": COVERAGE,
            "threshold": round(conformal_threshold(sure, validation.labels, COVERAGE), 5),
        },
    }


def _rows(faces: fer2013.Faces) -> Rows:
    return Rows((faces.images,), np.asarray(faces.labels, dtype=np.int64))
