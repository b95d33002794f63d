"""Calibrate the best network of a run on its validation part and ship it.

KERAS_BACKEND=torch python -m ml.emotion.publish --data fer2013.parquet --out RUN
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np

from ml.calibration import fit_temperature
from ml.curves import plot
from ml.emotion.data import read_training
from ml.emotion.model import build
from ml.emotion.train import Plan, logits_of
from ml.labels import EMOTIONS
from ml.manifest import FOLDER, publish

VERSION = "1.0.0"


def publish_run(data: Path, out: Path, plan: Plan) -> None:
    """Fit the temperature, draw the curves, write the model and its entry in the manifest."""
    training, validation = read_training(data, seed=plan.seed)
    model = build()  # in float32, whatever the training computed in
    model.set_weights(keras.models.load_model(out / "best.keras").get_weights())
    model.save(out / "emotion.keras")
    logits = logits_of(model, validation.images)
    one_hot = np.eye(len(EMOTIONS))[validation.labels]
    history = json.loads((out / "history.json").read_text())
    best = max(history, key=lambda epoch: (epoch["accuracy"], epoch["epoch"]))
    described = {
        "version": VERSION,
        "classes": list(EMOTIONS),
        "data": "FER-2013 train without copies of test images, softened by FER+ votes",
        "trained_on": len(training),
        "validation": {
            "n": len(validation),
            "accuracy": best["accuracy"],
            "epoch": best["epoch"],
            "epochs": len(history),
        },
        "temperature": fit_temperature(logits, one_hot),
    }
    publish("emotion", out / "emotion.keras", described)
    names = ("training_loss", "loss", "accuracy")
    curves = {name: [epoch[name] for epoch in history] for name in names}
    plot(curves, FOLDER / "emotion.png", "Emotion: training loss, validation loss and accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    given = parser.parse_args()
    publish_run(given.data, given.out, Plan())


if __name__ == "__main__":
    main()
