"""Train the emotion network: one command, seeded, resumable.

KERAS_BACKEND=torch python -m ml.emotion.train --data fer2013.parquet --out RUN
"""

import argparse
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.emotion.data import Batches, Faces, centre, read_training
from ml.emotion.fused import FusedBatchNormalization
from ml.emotion.model import SIZE, build

log = logging.getLogger(__name__)

# TensorFlow has no channels-first convolution on a CPU; on torch that is the fast layout.
FORMAT = "channels_first" if keras.backend.backend() == "torch" else "channels_last"


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train; small faces first, because they cost half as much."""

    epochs: int = 16
    small_epochs: int = 11
    small_size: int = 32
    batch: int = 128
    rate: float = 0.08
    decay: float = 5e-4
    average: float = 0.998
    seed: int = 7

    def size(self, epoch: int) -> int:
        return self.small_size if epoch < self.small_epochs else SIZE


class Average(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a moving average of the weights in a second network (Polyak), which is shipped."""

    def __init__(self, average: keras.Model, momentum: float) -> None:
        super().__init__()
        self.average, self.momentum = average, momentum

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        step = int(self.model.optimizer.iterations)
        # Early on the average must forget faster, or it drags the random start along.
        keep = min(self.momentum, (1 + step) / (10 + step))
        for kept, new in zip(self.average.weights, self.model.weights, strict=True):
            value = keras.ops.cast(new, kept.dtype)
            kept.assign(kept * keep + value * (1 - keep))


def compiled(plan: Plan, steps: int) -> keras.Model:
    """Return a fresh network with its optimiser: SGD, one cosine with a warm-up."""
    model = build(None, data_format=FORMAT, normalization=FusedBatchNormalization)
    optimizer = keras.optimizers.SGD(
        schedule(plan, steps), momentum=0.9, nesterov=True, weight_decay=plan.decay
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def schedule(plan: Plan, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return one epoch of warm-up and one cosine over the rest of the plan."""
    return keras.optimizers.schedules.CosineDecay(
        0.01,
        decay_steps=max(1, plan.epochs - 1) * steps,
        warmup_target=plan.rate,
        warmup_steps=steps,
        alpha=0.002,
    )


def logits_of(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, 7) logits of (n, 48, 48) images, the mean over the face and its mirror."""
    views = centre(images)
    both = [model.predict(v, batch_size=256, verbose=0) for v in (views, views[:, :, ::-1])]
    return np.asarray((both[0] + both[1]) / 2, dtype=np.float32)


def train(data: Path, out: Path, plan: Plan) -> Path:
    """Train, or go on where a stopped run left off; return the best averaged network's file."""
    out.mkdir(parents=True, exist_ok=True)
    training, validation = read_training(data, seed=plan.seed)
    log.info("training %d, validation %d", len(training), len(validation))
    steps = len(training) // plan.batch
    average = build()
    model, history = _resume(out, average) or (compiled(plan, steps), [])
    model.optimizer.learning_rate = schedule(plan, steps)  # a resumed plan may be another one
    for epoch in range(len(history), plan.epochs):
        batches = Batches(
            training,
            epoch=epoch,
            seed=plan.seed,
            size=plan.size(epoch),
            batch=plan.batch,
            data_format=FORMAT,
        )
        fitted = _epoch(model, batches, Average(average, plan.average))
        history.append({"epoch": epoch + 1} | fitted | _measure(average, validation))
        log.info("%s", json.dumps(history[-1]))
        if history[-1]["accuracy"] >= max(h["accuracy"] for h in history):
            _save(average, out / "best.keras")
        _save(model, out / "last.keras")
        _save(average, out / "average.keras")
        (out / "history.json").write_text(json.dumps(history, indent=1))
    return out / "best.keras"


def _epoch(model: keras.Model, batches: Batches, averaging: Average) -> dict[str, float]:
    began = time.monotonic()
    fitted = model.fit(batches, verbose=0, callbacks=[averaging])
    return {
        "training_loss": round(fitted.history["loss"][0], 4),
        "training_accuracy": round(fitted.history["accuracy"][0], 4),
        "seconds": round(time.monotonic() - began, 1),
    }


def _measure(average: keras.Model, validation: Faces) -> dict[str, float]:
    logits = logits_of(average, validation.images)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = logits.argmax(axis=1) == validation.labels
    loss = -log_p[np.arange(len(validation)), validation.labels].mean()
    return {"accuracy": round(float(right.mean()), 4), "loss": round(float(loss), 4)}


def _resume(out: Path, average: keras.Model) -> tuple[keras.Model, list[dict[str, float]]] | None:
    if not (out / "history.json").exists():
        return None
    average.set_weights(keras.models.load_model(out / "average.keras").get_weights())
    return keras.models.load_model(out / "last.keras"), json.loads(
        (out / "history.json").read_text()
    )


def _save(model: keras.Model, path: Path) -> None:
    beside = path.with_name(f"new-{path.name}")
    model.save(beside)
    beside.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--epochs", type=int, default=Plan.epochs)
    parser.add_argument("--bfloat16", action="store_true", help="twice as fast on recent CPUs")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    keras.utils.set_random_seed(Plan.seed)
    if given.bfloat16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    log.info("best: %s", train(given.data, given.out, Plan(epochs=given.epochs)))


if __name__ == "__main__":
    main()
