"""The CNN of the student report as a baseline: trained and measured, not shipped.

KERAS_BACKEND=torch python -m ml.training.action.baseline_cnn \\
    --data har.parquet --out RUN [--minutes 8] [--measure]
"""

import argparse
import json
import logging
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow.parquet as pq
from keras import layers
from numpy.typing import NDArray

from ml.calibration import softmax
from ml.evaluation.action_card import FOLDER
from ml.evaluation.metrics import report
from ml.images import decoded
from ml.labels import ACTIONS
from ml.training.action.data import Part, part_of
from ml.training.calibration import fit_temperature
from ml.types import Float32Array, Int64Array

log = logging.getLogger(__name__)

SIDE = 160
EPOCHS = 10
BATCH = 64


def baseline_cnn(*, data_format: str = "channels_last") -> keras.Model:
    """Return the student report's network, layer by layer: (batch, 160, 160, 3) to 15 logits.

    The report doesn't give the dropout rate; 0.5 is our choice. Pixels are in [0, 255].
    """
    last = data_format == "channels_last"
    shared: dict[str, Any] = {"data_format": data_format}
    x = inputs = keras.Input((SIDE, SIDE, 3) if last else (3, SIDE, SIDE), name="photo")
    x = layers.Rescaling(1 / 255)(x)
    for width in (32, 64, 128):
        x = layers.Conv2D(width, 3, activation="relu", **shared)(x)
        x = layers.MaxPooling2D(2, **shared)(x)
    x = layers.Flatten(**shared)(x)
    x = layers.Dropout(0.5)(layers.Dense(512, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(len(ACTIONS), dtype="float32")(x), name="baseline_cnn")


def pixels(data: Path, cache: Path) -> NDArray[np.uint8]:
    """Return (rows, 3, 160, 160) pixels of a HAR file, decoded on the first call."""
    if not cache.exists():
        images = pq.read_table(data, columns=["image"])["image"]
        made = np.lib.format.open_memmap(
            cache, mode="w+", dtype=np.uint8, shape=(len(images), 3, SIDE, SIDE)
        )
        for row, encoded in enumerate(images):
            photo = decoded(encoded.as_py(), f"The image of row {row}").convert("RGB")
            made[row] = np.asarray(photo.resize((SIDE, SIDE))).transpose(2, 0, 1)
    return np.asarray(np.load(cache, mmap_mode="r"))


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One shuffled epoch of (pixels, class numbers), every other photo mirrored."""

    def __init__(self, part: Part, all_pixels: NDArray[np.uint8], epoch: int) -> None:
        super().__init__()
        self.part, self.pixels = part, all_pixels
        self.rng = np.random.default_rng([7, epoch])
        self.order = self.rng.permutation(len(part.rows))

    def __len__(self) -> int:
        return len(self.order) // BATCH

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], Int64Array]:
        places = self.order[index * BATCH : (index + 1) * BATCH]
        some = self.pixels[self.part.rows[places]]
        mirrored = (places % 2 == index % 2)[:, None, None, None]
        return np.where(mirrored, some[..., ::-1], some), self.part.labels[places]


def train(data: Path, out: Path, minutes: float) -> bool:
    """Train until EPOCHS or the time limit; resume a stopped run. Return whether it is done."""
    out.mkdir(parents=True, exist_ok=True)
    images = pixels(data, out / "pixels.npy")
    training, val = (part_of(data, split) for split in ("train", "val"))
    history: list[dict[str, float]] = []
    if (out / "history.json").exists():
        history = json.loads((out / "history.json").read_text())
        model = keras.models.load_model(out / "last.keras")
    else:
        keras.utils.set_random_seed(7)
        model = baseline_cnn(data_format="channels_first")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(5e-4), loss)
    began, longest = time.monotonic(), 0.0
    for epoch in range(len(history), EPOCHS):
        start = time.monotonic()
        if start - began + longest > 60 * minutes:
            return False
        fitted = model.fit(Batches(training, images, epoch), verbose=0)
        right = logits_of(model, images, val).argmax(axis=1) == val.labels
        longest = time.monotonic() - start
        accuracy = round(float(right.mean()), 4)
        history.append(
            {"epoch": epoch + 1, "training_loss": fitted.history["loss"][0], "accuracy": accuracy}
        )
        log.info("%s, %.0f s", history[-1], longest)
        model.save(out / "last.keras")
        if accuracy >= max(row["accuracy"] for row in history):
            model.save(out / "best.keras", include_optimizer=False)
        (out / "history.json").write_text(json.dumps(history, indent=1))
    return True


def logits_of(model: keras.Model, images: NDArray[np.uint8], part: Part) -> Float32Array:
    return np.asarray(model.predict(images[part.rows], batch_size=BATCH, verbose=0))


def measure(data: Path, out: Path) -> dict[str, Any]:
    """Measure the best epoch's network on `test` and write the figures for the card."""
    images = pixels(data, out / "pixels.npy")
    model = keras.models.load_model(out / "best.keras", compile=False)
    val, test = (part_of(data, split) for split in ("val", "test"))
    logits = logits_of(model, images, val)
    temperature = fit_temperature(logits, np.eye(len(ACTIONS))[val.labels])
    probabilities = softmax(logits_of(model, images, test), temperature)
    result = report(probabilities, test.labels, ACTIONS)
    result["history"] = json.loads((out / "history.json").read_text())
    result["parameters"] = model.count_params()
    (FOLDER / "baseline_cnn.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="har.parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument(
        "--minutes", type=float, default=1e6, help="time limit; call again to resume"
    )
    parser.add_argument("--measure", action="store_true", help="measure the best epoch on test")
    parser.add_argument("--bfloat16", action="store_true", help="twice as fast on recent CPUs")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if given.bfloat16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    if given.measure:
        log.info("%s", measure(given.data, given.out)["accuracy"])
    else:
        log.info("done: %s", train(given.data, given.out, given.minutes))


if __name__ == "__main__":
    main()
