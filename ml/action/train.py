"""Train the action head on frozen features of HAR and ship it.

python -m ml.action.train --data har.parquet --cache FOLDER
"""

import argparse
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml import head
from ml.action.data import Photos, read
from ml.action.model import directions, with_familiarity
from ml.calibration import Floats, fit_temperature, log_loss, softmax, threshold_for
from ml.curves import plot
from ml.labels import ACTIONS
from ml.manifest import FOLDER, publish

log = logging.getLogger(__name__)

VERSION = "1.1.0"
PRECISION = 0.9
"""An action is named from the confidence on at which nine of ten names on `val` are right."""
FAMILIAR = 0.95
"""The share of `val` that counts as familiar; what is less so shows none of the actions."""

RECIPES = {
    "linear": head.Recipe(dropout=0.5, decay=0.05, noise=0.1, smoothing=0.05),
    "linear, strong decay": head.Recipe(dropout=0.7, decay=0.3, noise=0.2, smoothing=0.05),
    "hidden 256": head.Recipe(hidden=256, dropout=0.5, decay=0.1, noise=0.2, epochs=20),
    "hidden 512": head.Recipe(
        hidden=512, dropout=0.6, decay=0.3, noise=0.3, epochs=20, smoothing=0.1
    ),
}


def mean_logits(model: Any, features: NDArray[np.float32]) -> Floats:
    """Return (n, classes) logits of (n, views, width) features, the mean over the views."""
    n, views, width = features.shape
    logits = head.logits_of(model, features.reshape(n * views, width))
    return np.asarray(logits.reshape(n, views, -1).mean(axis=1), dtype=np.float64)


def choose(photos: Photos) -> tuple[str, Any, list[float]]:
    """Return the name, the head and the losses of the recipe with the least loss on `val`."""
    features, labels = photos.part("train")
    n, views, width = features.shape
    one_hot = np.eye(len(ACTIONS), dtype=np.float32)
    rows, targets = features.reshape(n * views, width), one_hot[np.repeat(labels, views)]
    held_out, held_labels = photos.part("val")
    results = []
    for name, recipe in RECIPES.items():
        model, losses = head.fit(rows, targets, recipe, name="action")
        logits = mean_logits(model, held_out)
        loss = log_loss(logits, one_hot[held_labels], fit_temperature(logits, one_hot[held_labels]))
        log.info("%s: val %.4f, loss %.4f", name, (logits.argmax(1) == held_labels).mean(), loss)
        results.append((loss, name, model, losses))
    _, name, model, losses = min(results, key=lambda result: result[0])
    return name, model, losses


def class_directions(model: Any, photos: Photos) -> NDArray[np.float32]:
    features, labels = photos.part("train")
    n, views, width = features.shape
    return directions(model, features.reshape(n * views, width), np.repeat(labels, views))


def familiar_from(model: Any, features: NDArray[np.float32]) -> float:
    """Return the familiarity that the share FAMILIAR of (n, views, width) features reaches."""
    n, views, width = features.shape
    _, near = model(features.reshape(n * views, width), training=False)
    mean = keras.ops.convert_to_numpy(near).reshape(n, views).mean(axis=1)
    return round(float(np.quantile(mean, 1 - FAMILIAR)), 4)


def train(data: Path, cache: Path, views: tuple[str, ...], most: int | None) -> None:
    """Choose a recipe, a temperature and thresholds on `val`; write the model and its entry."""
    photos = read(data, cache, views, most)
    recipe, model, losses = choose(photos)
    features, labels = photos.part("val")
    logits = mean_logits(model, features)
    temperature = fit_temperature(logits, np.eye(len(ACTIONS))[labels])
    probabilities = softmax(logits, temperature)
    accuracy = round(float((logits.argmax(axis=1) == labels).mean()), 4)
    shipped = with_familiarity(model, class_directions(model, photos))
    described = {
        "version": VERSION,
        "classes": list(ACTIONS),
        "data": "HAR train without surplus copies; features of DINOv2 ViT-S/14",
        "trained_on": len(photos.part("train")[1]),
        "validation": {"n": len(labels), "accuracy": accuracy, "recipe": recipe},
        "views": list(views),
        "temperature": temperature,
        "threshold": threshold_for(probabilities, labels, PRECISION),
        "familiarity": familiar_from(shipped, features),
    }
    shipped.save(cache / "action.keras")
    publish("action", cache / "action.keras", described)
    plot({"training loss": losses}, FOLDER / "action.png", f"Action head ({recipe})")
    log.info("%s, val %.4f, %s", recipe, accuracy, described)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="har.parquet")
    parser.add_argument("--cache", type=Path, required=True, help="folder for features")
    parser.add_argument("--views", nargs="+", default=["whole"], help="whole, middle")
    parser.add_argument("--most", type=int, help="look at the first rows only, to save time")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(given.data, given.cache, tuple(given.views), given.most)


if __name__ == "__main__":
    main()
