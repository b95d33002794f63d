"""Train the action head on frozen features of HAR.

KERAS_BACKEND=torch python -m ml.training.action.train --data har.parquet --cache FOLDER

`ml.training.action.data` fills the folder first; the head is written there for `publish`.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from ml.labels import ACTIONS
from ml.training import head
from ml.training.action.data import open_cache, part_of
from ml.training.action.model import directions, with_familiarity
from ml.training.calibration import fit_temperature, log_loss

log = logging.getLogger(__name__)

CONFIGS = {
    "linear": head.HeadConfig(dropout=0.5, decay=0.05, noise=0.1, smoothing=0.05),
    "linear, strong decay": head.HeadConfig(dropout=0.7, decay=0.3, noise=0.2, smoothing=0.05),
    "hidden 256": head.HeadConfig(hidden=256, dropout=0.5, decay=0.1, noise=0.2, epochs=20),
    "hidden 512": head.HeadConfig(
        hidden=512, dropout=0.6, decay=0.3, noise=0.3, epochs=20, smoothing=0.1
    ),
}


def train(data: Path, cache: Path) -> dict[str, Any]:
    """Write the head with the least loss on `val` among CONFIGS and return its figures."""
    cached = open_cache(data, cache)
    training, val = (cached.computed(part_of(data, split)) for split in ("train", "val"))
    one_hot = np.eye(len(ACTIONS), dtype=np.float32)
    features = cached.features[training.rows]
    results: list[tuple[float, str, Any, dict[str, Any]]] = []
    for name, config in CONFIGS.items():
        model, losses = head.fit(features, one_hot[training.labels], config, name="action")
        logits = head.logits_of(model, cached.features[val.rows])
        targets = one_hot[val.labels]
        loss = log_loss(logits, targets, fit_temperature(logits, targets))
        accuracy = round(float((logits.argmax(axis=1) == val.labels).mean()), 4)
        log.info("%s: val %.4f, loss %.4f", name, accuracy, loss)
        summary = {"recipe": name, "accuracy": accuracy, "losses": losses}
        results.append((loss, name, model, summary | {"trained_on": len(features)}))
    _, _, model, summary = min(results)
    whole = with_familiarity(model, directions(model, features, training.labels))
    whole.save(cache / "head.keras")
    (cache / "head.json").write_text(json.dumps(summary, indent=1))
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="har.parquet")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder of ml.training.action.data"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(given.data, given.cache)


if __name__ == "__main__":
    main()
