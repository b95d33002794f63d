"""Train the caption head on frozen embeddings and ship it.

python -m ml.caption.train --data goemotions.parquet emotion6.parquet --cache FOLDER
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml import head
from ml.calibration import fit_temperature, log_loss
from ml.caption.data import VALIDATION, Captions, read
from ml.caption.encoder import Floats
from ml.curves import plot
from ml.labels import EMOTIONS
from ml.manifest import FOLDER, publish

log = logging.getLogger(__name__)

VERSION = "1.0.0"

RECIPES = {
    "linear": head.Recipe(dropout=0.1, decay=0.01, epochs=20, rate=2e-3),
    "linear, noisy": head.Recipe(dropout=0.3, decay=0.1, noise=0.3, epochs=20, rate=2e-3),
    "hidden 128": head.Recipe(hidden=128, dropout=0.4, decay=0.1, noise=0.3, epochs=15),
}


def balance(targets: Floats) -> Floats:
    """Return (n,) weights by the square root of how rare a row's emotions are, mean one.

    Disgust is one text in fifty: without weights it would never be named, with full ones too
    often.
    """
    rare = 1 / np.sqrt(targets.mean(axis=0))
    weights = targets @ rare
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def choose(sets: Sequence[Captions]) -> tuple[str, Any, list[float], float]:
    """Return name, head, losses and temperature of the recipe with the least validation loss.

    Every file counts the same in that loss, whatever its length.
    """
    training = [part.part("train") for part in sets]
    held_out = [part.part(*VALIDATION) for part in sets]
    features, targets = (np.concatenate(arrays) for arrays in zip(*training, strict=True))
    results = []
    for name, recipe in RECIPES.items():
        model, losses = head.fit(
            features, targets, recipe, name="caption", weights=balance(targets)
        )
        logits = [head.logits_of(model, rows) for rows, _ in held_out]
        temperature = fit_temperature(
            np.concatenate(logits), np.concatenate([t for _, t in held_out])
        )
        pairs = list(zip(logits, (t for _, t in held_out), strict=True))
        loss = float(np.mean([log_loss(row, t, temperature) for row, t in pairs]))
        right = [round(float(_accuracy(row, t)), 4) for row, t in pairs]
        log.info("%s: loss %.4f, accuracy %s", name, loss, right)
        results.append((loss, name, model, losses, temperature))
    _, name, model, losses, temperature = min(results, key=lambda result: result[0])
    return name, model, losses, temperature


def _accuracy(logits: Floats, targets: Floats) -> Any:
    single = targets.max(axis=1) == 1
    return (logits.argmax(axis=1) == targets.argmax(axis=1))[single].mean()


def train(data: Sequence[Path], cache: Path) -> None:
    """Choose recipe and temperature on the validation splits; write the model and its entry."""
    sets = [read(file, cache) for file in data]
    recipe, model, losses, temperature = choose(sets)
    validation = {
        file.stem: {
            "n": len(t),
            "accuracy": round(float(_accuracy(head.logits_of(model, x), t)), 4),
        }
        for file, (x, t) in zip(data, (part.part(*VALIDATION) for part in sets), strict=True)
    }
    described = {
        "version": VERSION,
        "classes": list(EMOTIONS),
        "data": "GoEmotions in Ekman's grouping, and emotion; embeddings of multilingual-e5-small",
        "trained_on": sum(len(part.part("train")[1]) for part in sets),
        "validation": validation | {"recipe": recipe},
        "temperature": temperature,
    }
    model.save(cache / "caption.keras")
    publish("caption", cache / "caption.keras", described)
    plot({"training loss": losses}, FOLDER / "caption.png", f"Caption head ({recipe})")
    log.info("%s", described)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder for embeddings")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(given.data, given.cache)


if __name__ == "__main__":
    main()
