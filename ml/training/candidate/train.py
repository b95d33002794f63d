"""Tune the last layers of the serving model on base data and reviews, calibrate and compare."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.evaluation.paired import compare
from ml.manifest import digest
from ml.serving.files import CLASSES, FORMATS, describe
from ml.training.candidate import action, emotion
from ml.training.candidate.card import card_of
from ml.training.candidate.rows import Rows, joined, read_reviewed, sample
from ml.types import Float64Array

log = logging.getLogger(__name__)

KINDS: Mapping[str, ModuleType] = {"emotion": emotion, "action": action}
MIN_VALIDATION = 200
"""Rows from which calibration is fitted anew; with fewer, the serving model's is kept."""


class NothingToLearn(ValueError):
    """The export has no rows to train this model on."""


@dataclass(frozen=True)
class Plan:
    """Hyperparameters: a few epochs over some base rows and every reviewed one.

    A reviewed row weighs as much as `reviewed` base rows: they are few, but they are people's own.
    """

    epochs: int = 5
    rate: float = 3e-4
    batch: int = 64
    base: int = 3000
    reviewed: float = 3.0
    smoothing: float = 0.05
    seed: int = 7


@dataclass(frozen=True)
class Serving:
    """The model that a candidate starts from and is compared with."""

    file: Path
    entry: dict[str, Any]


def train_candidate(
    name: str,
    *,
    serving: Serving,
    export: Path,
    data: Path | None,
    out: Path,
    version: str,
    plan: Plan = Plan(),
) -> dict[str, Any]:
    """Write `model.keras` and `candidate.json` to the folder `out`; return what the latter holds.

    `data` is the folder of the base data; without it only reviews are learned from, and the
    comparison on the public test set is missing. Raises NothingToLearn without a reviewed row.
    """
    keras.utils.set_random_seed(plan.seed)
    kind = KINDS[name]
    reviewed = {split: _reviewed(name, export, split) for split in ("train", "val", "test")}
    data = data if data and (data / kind.FILE).is_file() else None
    log.info("reading the base data")
    base = kind.read_base(data, plan.seed) if data else None
    before, model = (_load(serving.file) for _ in range(2))
    trained_on = fit(kind, model, reviewed["train"], base[0] if base else None, plan)
    validation = joined(reviewed["val"], *([base[1]] if base else []))
    entry = _entry(serving.entry, version, trained_on) | _calibration(kind, model, validation)
    tests = {
        "public": kind.read_test(data) if data else None,
        "audit": _audited(name, export, reviewed["test"]),
    }
    pairs = {
        key: _compared(kind, (before, serving.entry), (model, entry), rows, key)
        for key, rows in tests.items()
    }
    described = {
        **_saved(name, model, out),
        "version": version,
        "entry": entry,
        "export": json.loads((export / "manifest.json").read_text())["version"],
        "compared_with": serving.entry["version"],
        "comparison": pairs,
        "reviewed": {split: len(rows) for split, rows in reviewed.items()},
        "base": trained_on - len(reviewed["train"]),
    }
    described["card"] = card_of(described)
    (out / "candidate.json").write_text(json.dumps(described, indent=1))
    return described


def _reviewed(name: str, export: Path, split: str) -> Rows:
    """Return a split of the export, prepared; raise NothingToLearn if nothing is to train on."""
    read = read_reviewed(export / f"{name}.parquet", split, CLASSES[name])
    if split == "train" and not read.labels:
        raise NothingToLearn(
            f"The export has no reviewed row to train the model “{name}” on. Review more photos."
        )
    rows: Rows = KINDS[name].prepare(read)
    return rows


def _audited(name: str, export: Path, test: Rows) -> Rows:
    """Return the rows of the test split that were drawn at random: only they are unbiased."""
    read = read_reviewed(export / f"{name}.parquet", "test", CLASSES[name])
    return test.take(np.flatnonzero(read.audit))


def _calibration(kind: ModuleType, model: Any, validation: Rows) -> dict[str, Any]:
    """Return fitted calibration, or nothing where too few rows would make it worse."""
    if len(validation) < MIN_VALIDATION:
        return {}
    logits = kind.scores(_run(model), _as(kind, validation, model), "calibrating")
    calibration: dict[str, Any] = kind.calibrated(logits, validation)
    return calibration


def _compared(
    kind: ModuleType,
    serving: tuple[Any, dict[str, Any]],
    candidate: tuple[Any, dict[str, Any]],
    rows: Rows | None,
    key: str,
) -> dict[str, Any] | None:
    """Return the paired figures of two networks with their entries; None without rows."""
    if rows is None or not len(rows):
        return None
    before = _right(kind, *serving, rows, f"serving model on the {key} set")
    now = _right(kind, *candidate, rows, f"candidate on the {key} set")
    pair = compare(before, now)
    return pair.to_json() if pair else None


def _right(
    kind: ModuleType, model: Any, entry: dict[str, Any], rows: Rows, what: str
) -> NDArray[np.bool_]:
    logits: Float64Array = kind.scores(_run(model), _as(kind, rows, model), what)
    return np.asarray(kind.probabilities(logits, entry).argmax(axis=1) == rows.labels)


def _saved(name: str, model: Any, out: Path) -> dict[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    file = out / "model.keras"
    model.save(file)
    describe(name, file)
    return {
        "name": name,
        "file": file.name,
        "sha256": digest(file),
        "format_version": FORMATS[name],
        "classes": list(CLASSES[name]),
    }


def fit(kind: ModuleType, model: Any, reviewed: Rows, base: Rows | None, plan: Plan) -> int:
    """Tune the layers named "logits" in place; return the number of rows that were trained on."""
    some = base.take(sample(len(base), plan.base, plan.seed)) if base else None
    rows = joined(reviewed, *([some] if some else []))
    weights = np.ones(len(rows), dtype=np.float32)
    weights[: len(reviewed)] = plan.reviewed
    _freeze(model)
    tuned = keras.Model(model.inputs, kind.trained_output(model))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=plan.smoothing)
    tuned.compile(keras.optimizers.AdamW(plan.rate, weight_decay=1e-3), loss)
    goals = np.eye(tuned.output.shape[-1], dtype=np.float32)[rows.labels]
    given = kind.inputs(rows, model)
    log.info("training on %d rows", len(rows))
    tuned.fit(
        given[0] if len(given) == 1 else list(given),
        goals,
        sample_weight=weights,
        epochs=plan.epochs,
        batch_size=plan.batch,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=_say_epoch)],
    )
    model.trainable = True
    return len(rows)


def _say_epoch(epoch: int, logs: Mapping[str, float] | None) -> None:
    log.info("epoch %d: loss %.4f", epoch + 1, (logs or {}).get("loss", float("nan")))


def _freeze(model: Any) -> None:
    """Leave only the dense layers that give the logits to be trained."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _freeze(layer)
        else:
            layer.trainable = layer.name == "logits"


def _load(file: Path) -> Any:
    import ml.action.blocks  # noqa: F401  registers the layers of the file of "action"

    return keras.models.load_model(file, compile=False)


def _run(model: Any) -> Any:
    """Return the network as a function of batches."""

    def run(*batches: Any) -> Any:
        return model.predict_on_batch(batches[0] if len(batches) == 1 else list(batches))

    return run


def _as(kind: ModuleType, rows: Rows, model: Any) -> Rows:
    """Return rows with the inputs that a network of several takes."""
    return Rows(kind.inputs(rows, model), rows.labels) if kind is action else rows


def _entry(serving: dict[str, Any], version: str, trained_on: int) -> dict[str, Any]:
    """Return the serving model's entry as that of a candidate, without what was only its own."""
    own = ("file", "sha256", "measured", "smoke", "validation", "teachers")
    kept = {key: value for key, value in serving.items() if key not in own}
    return kept | {"version": version, "trained_on": trained_on, "measured": []}
