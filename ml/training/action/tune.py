"""Tune the backbone's last two blocks on HAR: one command, seeded, resumable.

KERAS_BACKEND=torch python -m ml.training.action.tune --data har.parquet --cache FOLDER --out RUN

`ml.training.action.data` fills the folder with the output of the ten frozen blocks first.
`ml.training.action.publish` combines the tuned blocks with the head of `ml.training.action.train`.
"""

import argparse
import json
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.labels import ACTIONS
from ml.training.action.blocks import build, last_weights, load_backbone_weights
from ml.training.action.data import Part, open_cache, part_of
from ml.training.calibration import fit_temperature, log_loss
from ml.types import Float16Array, Float32Array, Int64Array

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """Hyperparameters of tuning.

    In training a photo keeps `patches` random ones of its 256 patches (PatchDropout, Liu et al.
    2023) and is mixed with another one by a share from Beta(`mixup`, `mixup`) (Zhang et al. 2018).
    """

    epochs: int = 5
    batch: int = 64
    rate: float = 1e-4
    decay: float = 0.05
    smoothing: float = 0.1
    patches: int = 96
    mixup: float = 0.2
    seed: int = 7


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of training batches: (tokens, shares of the classes)."""

    def __init__(self, tokens: Float16Array, part: Part, plan: Plan, epoch: int) -> None:
        super().__init__()
        self.tokens, self.part, self.plan, self.epoch = tokens, part, plan, epoch
        self.order = np.random.default_rng([plan.seed, epoch]).permutation(len(part.rows))

    def __len__(self) -> int:
        return len(self.order) // self.plan.batch

    def __getitem__(self, index: int) -> tuple[Float32Array, Float32Array]:
        plan = self.plan
        places = self.order[index * plan.batch : (index + 1) * plan.batch]
        rng = np.random.default_rng([plan.seed, self.epoch, index])
        some = [self._patches(row, rng) for row in self.part.rows[places]]
        tokens = np.stack(some).astype(np.float32)
        shares = np.eye(len(ACTIONS), dtype=np.float32)[self.part.labels[places]]
        other, share = rng.permutation(len(places)), np.float32(rng.beta(plan.mixup, plan.mixup))
        mixed = [share * array + (1 - share) * array[other] for array in (tokens, shares)]
        return mixed[0], mixed[1]

    def _patches(self, row: int, rng: np.random.Generator) -> Float16Array:
        tokens = self.tokens[row]
        kept = rng.permutation(len(tokens) - 1)[: self.plan.patches]
        return np.asarray(tokens[np.concatenate([[0], 1 + np.sort(kept)])])


def compiled(model: keras.Model, plan: Plan, steps: int) -> None:
    """Compile the model with AdamW and one cosine with half an epoch of warm-up."""
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.rate / 20,
        decay_steps=plan.epochs * steps - steps // 2,
        warmup_target=plan.rate,
        warmup_steps=max(1, steps // 2),
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=plan.decay, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "scale"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=plan.smoothing)
    model.compile(optimizer, loss)


def logits_of(model: keras.Model, tokens: Float16Array, rows: Int64Array) -> Float32Array:
    """Return (n, classes) logits of whole photos by their row numbers."""
    pieces = (rows[begin : begin + 64] for begin in range(0, len(rows), 64))
    parts = [model(tokens[some].astype(np.float32), training=False) for some in pieces]
    return np.concatenate([keras.ops.convert_to_numpy(logits) for logits in parts])


def fit_head(model: keras.Model, tokens: Float16Array, part: Part, most: int = 2000) -> None:
    """Fit the head alone on some photos first.

    A random head would distort the features of the blocks (Kumar et al. 2022).
    """
    some = np.random.default_rng(0).permutation(len(part.rows))[:most]
    inside = keras.Model(model.input, model.get_layer("norm").output)
    outputs = logits_of(inside, tokens, part.rows[some])
    head = keras.Sequential(
        [
            keras.Input(outputs.shape[1:]),
            keras.layers.Dense(len(ACTIONS), kernel_initializer="zeros"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    head.compile(keras.optimizers.AdamW(2e-3, weight_decay=0.1), loss)
    head.fit(outputs, part.labels[some], epochs=15, batch_size=64, verbose=0)
    model.get_layer("logits").set_weights(head.get_weights())


def train(data: Path, cache: Path, out: Path, plan: Plan, minutes: float = 1e6) -> bool:
    """Tune until the end of the plan or the time limit; resume a stopped run.

    Every epoch's network is written. Return whether the plan is done.
    """
    keras.utils.set_random_seed(plan.seed)
    out.mkdir(parents=True, exist_ok=True)
    cached = open_cache(data, cache)
    tokens = cached.tokens
    training, val = (cached.computed(part_of(data, split)) for split in ("train", "val"))
    log.info("training %d, validation %d", len(training.rows), len(val.rows))
    history: list[dict[str, float]] = []
    if (out / "history.json").exists():
        history = json.loads((out / "history.json").read_text())
        model = keras.models.load_model(out / "last.keras")
    else:
        model = build()
        load_backbone_weights(model, last_weights())
        fit_head(model, tokens, training)
        compiled(model, plan, len(training.rows) // plan.batch)
    end, longest = time.monotonic() + 60 * minutes, 0.0
    for epoch in range(len(history), plan.epochs):
        began = time.monotonic()
        if began + longest > end:
            return False
        fitted = model.fit(Batches(tokens, training, plan, epoch), verbose=0)
        figures = {"epoch": epoch + 1, "photos": len(training.rows)}
        figures["training_loss"] = round(fitted.history["loss"][0], 4)
        history.append(figures | measured(model, tokens, val))
        longest = time.monotonic() - began
        log.info("%s, %.0f s", json.dumps(history[-1]), longest)
        model.save(out / "last.keras")
        (out / "history.json").write_text(json.dumps(history, indent=1))
    return True


def measured(model: keras.Model, tokens: Float16Array, part: Part) -> dict[str, float]:
    """Return the accuracy, and the loss at the best temperature."""
    logits = logits_of(model, tokens, part.rows)
    shares = np.eye(len(ACTIONS))[part.labels]
    loss = log_loss(logits, shares, fit_temperature(logits, shares))
    right = logits.argmax(axis=1) == part.labels
    return {"accuracy": round(float(right.mean()), 4), "loss": round(loss, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="har.parquet")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder of ml.training.action.data"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument(
        "--minutes", type=float, default=1e6, help="time limit; call again to resume"
    )
    parser.add_argument("--bfloat16", action="store_true", help="twice as fast on recent CPUs")
    names: dict[str, Any] = {"epochs": int, "rate": float, "patches": int, "mixup": float}
    for name, kind in (names | {"seed": int}).items():
        parser.add_argument(f"--{name}", type=kind, default=getattr(Plan, name))
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if given.bfloat16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    plan = replace(Plan(), **{name: getattr(given, name) for name in (*names, "seed")})
    log.info("done: %s", train(given.data, given.cache, given.out, plan, given.minutes))


if __name__ == "__main__":
    main()
