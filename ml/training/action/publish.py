"""Calibrate the action network on `val`, with or without tuned blocks, and publish it.

KERAS_BACKEND=torch python -m ml.training.action.publish \\
    --data har.parquet --cache FOLDER [--run RUN]
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.action.backbone import encode, preprocess
from ml.calibration import softmax
from ml.evaluation.action_card import FOLDER
from ml.labels import ACTIONS
from ml.manifest import publish
from ml.training.action.blocks import average_logits, build
from ml.training.action.data import open_cache, part_of
from ml.training.action.no_action import smoke
from ml.training.calibration import fit_temperature, threshold_for
from ml.training.curves import plot
from ml.types import Float16Array, Float32Array, Int64Array

log = logging.getLogger(__name__)

VERSION = "2.0.0"
CURVES = ("training_loss", "loss", "accuracy")
PRECISION = 0.9
"""Precision on `val` that the threshold for naming an action reaches."""
FAMILIAR = 0.95
"""Share of `val` that counts as familiar; a less familiar photo shows none of the actions."""


def publish_network(data: Path, cache: Path, run: Path | None) -> dict[str, Any]:
    """Fit temperature and thresholds on `val`, plot the curves, write the model and its entry.

    Without a run of `ml.training.action.tune` the head alone is published.
    """
    cached = open_cache(data, cache)
    val = cached.computed(part_of(data, "val"))
    head = json.loads((cache / "head.json").read_text())
    validation = {key: head[key] for key in ("recipe",)} | {"head": head["accuracy"]}
    curves = {"training loss of the head": head["losses"]}
    model = keras.models.load_model(cache / "head.keras", compile=False)
    if run:
        history = json.loads((run / "history.json").read_text())
        validation["blocks"] = history[-1]["accuracy"]
        validation["blocks_trained_on"] = history[-1]["photos"]
        curves |= {f"{key} of the blocks": [epoch[key] for epoch in history] for key in CURVES}
        model = average_logits(_tuned(run), model)
    logits, familiarity = predict(model, cached.tokens, cached.features, val.rows)
    temperature = fit_temperature(logits, np.eye(len(ACTIONS))[val.labels])
    probabilities = softmax(logits, temperature)
    accuracy = float((logits.argmax(axis=1) == val.labels).mean())
    encoded = encode([preprocess(picture) for picture in smoke()])
    every = np.arange(len(encoded.tokens))
    smoke_logits, _ = predict(model, encoded.tokens, encoded.features, every)
    described = {
        "version": VERSION,
        "classes": list(ACTIONS),
        "data": "HAR train without surplus copies; features of DINOv2 ViT-S/14",
        "trained_on": head["trained_on"],
        "validation": validation | {"n": len(val.rows), "accuracy": round(accuracy, 4)},
        "temperature": temperature,
        "threshold": threshold_for(probabilities, val.labels, PRECISION),
        "familiarity": round(float(np.quantile(familiarity, 1 - FAMILIAR)), 4),
        "smoke": softmax(smoke_logits, temperature).round(4).tolist(),
    }
    model.save(cache / "action.keras")
    publish("action", cache / "action.keras", described)
    plot(curves, FOLDER / "curves.png", f"Action {VERSION}")
    return described


def predict(
    model: keras.Model,
    tokens: Float32Array | Float16Array,
    features: Float32Array,
    rows: Int64Array,
) -> tuple[Float32Array, Float32Array]:
    """Return (n, classes) logits and (n,) familiarities of some rows of the cache."""
    arrays = {"tokens": tokens, "features": features}
    batches = []
    for begin in range(0, len(rows), 64):
        some = rows[begin : begin + 64]
        inputs = [arrays[tensor.name][some].astype(np.float32) for tensor in model.inputs]
        outputs = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
        batches.append([keras.ops.convert_to_numpy(output) for output in outputs])
    logits, familiarity = (np.concatenate(part) for part in zip(*batches, strict=True))
    return logits, familiarity[:, 0]


def _tuned(run: Path) -> keras.Model:
    """Return the tuned blocks in float32, whatever precision they were trained in."""
    model = build()
    model.set_weights(keras.models.load_model(run / "last.keras", compile=False).get_weights())
    return model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="har.parquet")
    parser.add_argument("--cache", type=Path, required=True, help="folder of data and train")
    parser.add_argument("--run", type=Path, help="folder of a run of ml.training.action.tune")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log.info("%s", publish_network(given.data, given.cache, given.run))


if __name__ == "__main__":
    main()
