"""Calibrate the tuned network on held-out rows, write it in 8 bits and ship it.

KERAS_BACKEND=torch python -m ml.training.caption.publish --data FOLDER --work FOLDER

`--work` is the folder of `ml.training.caption.train`, `--data` that of the collections.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ml.calibration import softmax
from ml.caption.labels import FINE, TO_SEVEN
from ml.caption.network import Outputs, load, run
from ml.caption.predict import gaussians
from ml.evaluation.metrics import multilabel_f1
from ml.labels import EMOTIONS
from ml.manifest import FOLDER, publish
from ml.mood import MUSIC_SD
from ml.training.caption import model
from ml.training.caption.data import Part, read, taken, written
from ml.training.caption.export import export
from ml.training.caption.labels import TO_EIGHT
from ml.training.caption.train import ROUNDS, training_parts
from ml.training.curves import plot
from ml.types import Float64Array

log = logging.getLogger(__name__)

VERSION = "5.1.0"
HELD_OUT = 1000
"""Rows of a collection's validation split that calibrate; reading them takes half a minute."""


def held_out(folder: Path) -> list[Part]:
    """Return rows that were not learned from: of two collections, and the development captions."""
    random = np.random.default_rng(7)
    parts = [read(folder, name, ("dev", "val"), random) for name in ("goemotions", "emotion6")]
    some = [taken(part, random.permutation(len(part))[:HELD_OUT].tolist()) for part in parts]
    return [*some, written("development")]


def temperature_of(said: Sequence[Outputs], parts: Sequence[Part]) -> float:
    """Return the temperature with the least log loss of the coarse labels, each part's mean
    counting the same."""

    def loss_of(temperature: float) -> float:
        losses = []
        for outputs, part in zip(said, parts, strict=True):
            eight = softmax(outputs.emotion, temperature) @ TO_EIGHT
            coarse = part.targets["emotion"][:, len(FINE) :]
            losses.append(-(coarse * np.log(eight + 1e-12)).sum(axis=1).mean())
        return float(np.mean(losses))

    candidates = np.round(np.exp(np.linspace(np.log(0.4), np.log(3), 121)), 3)
    return float(min(candidates.tolist(), key=loss_of))


def spread_of(said: Outputs, mood: NDArray[Any], temperature: float) -> list[float]:
    """Return by how much the variances of valence and energy are to be multiplied, so that the
    squared errors of (n, 2) held-out moods are on average what the variances say."""
    means, covariances = gaussians(said.mood)
    neutral = softmax(said.emotion, temperature)[:, FINE.index("neutral")]
    squares = np.square(mood - means)

    def scale_of(axis: int) -> float:
        wider = neutral * MUSIC_SD[axis] ** 2

        def excess(log_scale: float) -> float:
            variances = np.exp(log_scale) * covariances[:, axis, axis] + wider
            return float((squares[:, axis] / variances).mean()) - 1

        return round(float(np.exp(brentq(excess, -5, 5))), 3)

    return [scale_of(axis) for axis in (0, 1)]


def thresholds_of(shares: Float64Array, present: NDArray[np.bool_]) -> list[float]:
    """Return for each of the seven emotions from which share on a text is said to have it.

    The share with the best F1 on these (n, 7) rows: GoEmotions has several labels to a text.
    """
    candidates = np.arange(0.05, 0.7, 0.01)
    scores = [multilabel_f1(shares, present, np.full(len(EMOTIONS), t)) for t in candidates]
    return [round(float(candidates[k]), 2) for k in np.argmax(scores, axis=0)]


def calibration_of(said: Sequence[Outputs], parts: Sequence[Part]) -> dict[str, Any]:
    """Return temperature, thresholds and spread for the manifest."""
    temperature = temperature_of(said, parts)
    seven = parts[0].targets["emotion"][:, : len(FINE)] @ TO_SEVEN > 0
    thresholds = thresholds_of(softmax(said[0].emotion, temperature) @ TO_SEVEN, seven)
    return {
        "temperature": temperature,
        "thresholds": dict(zip(EMOTIONS, thresholds, strict=True)),
        "spread": spread_of(said[-1], parts[-1].targets["mood"], temperature),
    }


def rounding_of(whole: Outputs, rounded: Outputs) -> dict[str, float]:
    """Return what 8 bits change: root mean squares of valence and energy, and the share of texts
    whose likeliest of the seven emotions is another."""
    apart = gaussians(whole.mood)[0] - gaussians(rounded.mood)[0]
    valence, energy = (round(float(rms), 4) for rms in np.sqrt(np.square(apart).mean(axis=0)))
    seven = [(softmax(said.emotion) @ TO_SEVEN).argmax(axis=1) for said in (whole, rounded)]
    changed = round(float((seven[0] != seven[1]).mean()), 4)
    return {"valence": valence, "energy": energy, "emotion": changed}


def ship(data: Path, work: Path) -> None:
    """Export the tuned network, calibrate what the 8-bit file says, and publish it."""
    network = model.build()
    network.load_weights(work / f"round{len(ROUNDS)}.weights.h5")
    file = export(network, work / "caption.onnx")
    parts = held_out(data)
    said = [run(part.texts, load(file)) for part in parts]
    whole = run(parts[-1].texts, load(file.with_suffix(".float.onnx")))
    rows = {part.name: len(part) for part in training_parts(data)}
    described = {
        "version": VERSION,
        "classes": list(EMOTIONS),
        "data": "our own captions and eight public collections",
        "trained_on": rows,
        "passes": [each.passes for each in ROUNDS],
        "frozen": [each.frozen for each in ROUNDS],
        "shares_of_rounds": [each.share for each in ROUNDS],
        "rounding": rounding_of(whole, said[-1]),
        **calibration_of(said, parts),
    }
    publish("caption", file, described)
    plot(curves_of(work), FOLDER / "caption" / "curves.png", "Caption network")
    log.info("%s", described)


def curves_of(work: Path) -> Mapping[str, Sequence[float]]:
    """Return the training loss, and the share of development captions on the right side."""
    files = [work / f"round{n}" / "progress.jsonl" for n in range(1, len(ROUNDS) + 1)]
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    names = {"loss": "training loss", "right": "development captions, right side"}
    return {title: [line[name] for line in lines] for name, title in names.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    ship(given.data, given.work)


if __name__ == "__main__":
    main()
