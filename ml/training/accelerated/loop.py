"""Train a network on images in the device's memory, within a time limit; resume a stopped run.

A phase trains one network. It writes

- NAME.npz: the moving average of the weights, which is what is measured and used, with the logits
  of a few images, by which `verify` knows elsewhere that it has the same network;
- NAME.last.npz: the weights themselves, from which a stopped phase goes on; it goes at the end;
- phases.json: the figures of all phases, epoch by epoch.

Matrices are kept in 16 bits, vectors in 32. The optimiser's state isn't kept: its memory is ten
steps (SGD) or a few hundred (AdamW).
"""

import io
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ml.training.accelerated.augmentation import Augmentation
from ml.training.pack import replace
from ml.types import Float32Array, Int64Array

log = logging.getLogger(__name__)

SAVE_EVERY = 120.0
"""Seconds between checkpoints."""

Weights = list[NDArray[Any]]


@dataclass(frozen=True)
class Phase:
    """The training of one network: at most `epochs`, fewer where its time allows no more.

    `part` is its share of the time, against those of the phases still to come; `keep` the moving
    average's memory of an epoch; `share` the teachers' part of the goals. The average of a `large`
    network stays with the state: it isn't needed elsewhere.
    """

    name: str
    epochs: int
    rate: float
    batch: int = 256
    decay: float = 3e-3
    adam: bool = False
    warm: int = 5
    keep: float = 0.8
    part: float = 1.0
    share: float = 0.5
    seed: int = 7
    large: bool = False

    def optimizer(self) -> keras.optimizers.Optimizer:
        if self.adam:
            return keras.optimizers.AdamW(self.rate, weight_decay=self.decay, global_clipnorm=1.0)
        return keras.optimizers.SGD(self.rate, momentum=0.9, nesterov=True, weight_decay=self.decay)

    def rate_at(self, epoch: int, total: int) -> float:
        """Return the learning rate: a warm-up, then a cosine over the epochs that there are."""
        falling = (1 + math.cos(math.pi * (epoch + 0.5) / max(total, epoch + 1))) / 2
        return self.rate * falling * min(1.0, (epoch + 1) / self.warm)


class Learner(keras.Model):  # type: ignore[misc]
    """A network with its data: a batch is row numbers; images and goals stay on the device.

    `crossed` gives the loss (n,) of goals and logits. Teachers see the same augmented views as the
    network (Beyer et al. 2022); `said` turns their logits into goals. `body`, if there is one, is a
    network that comes before and isn't trained.
    """

    def __init__(
        self,
        network: keras.Model,
        images: NDArray[np.uint8],
        goals: Float32Array,
        *,
        crossed: Callable[[Any, Any], Any],
        view: Callable[[Any], Any] = lambda images: images,
        augmentation: Augmentation,
        phase: Phase,
        body: keras.Model | None = None,
        teachers: Sequence[keras.Model] = (),
        said: Callable[[Any], Any] = ops.softmax,
    ) -> None:
        super().__init__(dtype="float32")  # the network has a policy of its own
        self.network, self.body, self.teachers, self.said = network, body, list(teachers), said
        for fixed in (*teachers, *([body] if body else [])):
            fixed.trainable = False
        self.crossed, self.view, self.augmentation = crossed, view, augmentation
        self.share = phase.share
        self.random = keras.random.SeedGenerator(phase.seed)
        self.images = self.add_weight(images.shape, "zeros", "uint8", trainable=False)
        self.images.assign(images)
        self.goals = self.add_weight(goals.shape, "zeros", "float32", trainable=False)
        self.goals.assign(goals)
        self.compile(phase.optimizer())

    def seed(self, seed: int, epoch: int) -> None:
        """Let the views of an epoch depend on these two alone."""
        self.random.state.assign(np.array([seed, epoch << 20], dtype=np.uint32))

    def call(self, rows: Any, training: bool = False) -> Any:
        x = ops.cast(ops.take(self.images, rows, axis=0), "float32")
        goals = ops.take(self.goals, rows, axis=0)
        if training:
            x, goals = self.augmentation(x, goals, self.random)
        x = self.view(x)
        seen = self.body(x, training=False) if self.body else x
        logits = ops.cast(self.network(seen, training=training), "float32")
        if self.teachers:
            taught = [self.said(ops.cast(t(x, training=False), "float32")) for t in self.teachers]
            taught = ops.stop_gradient(ops.mean(ops.stack(taught), axis=0))
            goals = (1 - self.share) * goals + self.share * taught
        self.add_loss(ops.mean(self.crossed(goals, logits)))
        return logits


def run(
    phase: Phase,
    learner: Learner,
    rows: Int64Array,
    measure: Callable[[Learner], dict[str, float]],
    *,
    folder: Path,
    state: Path,
    seconds: float,
) -> bool:
    """Train the network on the rows until its epochs or seconds are over; return whether it is.

    Its weights are then the average's. The average and phases.json are in `folder`, the weights to
    go on from in `state`. Without time for a single epoch nothing changes.
    """
    history = Phases(folder)
    epochs, file = history.epochs(phase.name), place(phase, folder, state)
    last = state / f"{phase.name}.last.npz"
    if not (last.exists() and file.exists()):
        epochs.clear()
    average = load(file)[0] if epochs else []
    if epochs:
        learner.network.set_weights(load(last)[0])
    began = saved = time.monotonic()
    took: list[float] = []
    while len(epochs) < (total := _possible(phase, len(epochs), took, seconds, began)):
        start, done = time.monotonic(), len(epochs)
        learner.seed(phase.seed, done)
        learner.optimizer.learning_rate = phase.rate_at(done, total)
        fitted = learner.fit(_order(phase, rows, done), batch_size=phase.batch, shuffle=False,
                             epochs=1, verbose=0)  # fmt: skip
        weights = learner.network.get_weights()
        average = _averaged(average, weights, min(phase.keep, (1 + done) / (10 + done)))
        learner.network.set_weights(average)
        figures = {"epoch": done + 1, "training_loss": round(float(fitted.history["loss"][0]), 4)}
        epochs.append(figures | measure(learner))
        learner.network.set_weights(weights)
        took.append(time.monotonic() - start)
        epochs[-1]["seconds"] = round(took[-1], 2)
        log.info("%s %s of %d", phase.name, json.dumps(epochs[-1]), total)
        if time.monotonic() - saved > SAVE_EVERY:
            saved = time.monotonic()
            save(last, weights)
            save(file, average)
            history.write()
    if not took and len(epochs) < phase.epochs:
        return False
    learner.network.set_weights(average)
    save(file, average)
    history.finish(phase.name)
    last.unlink(missing_ok=True)
    return True


def _possible(phase: Phase, done: int, took: Sequence[float], seconds: float, began: float) -> int:
    """Return how many epochs the phase can have: the first took longer, as it compiles."""
    left = began + seconds - time.monotonic()
    if len(took) < 2:
        return phase.epochs if left > 0 else done
    return min(phase.epochs, done + max(0, int(left / float(np.median(took[1:])))))


def _order(phase: Phase, rows: Int64Array, epoch: int) -> NDArray[np.int32]:
    """Return the rows of an epoch in random order, without an incomplete batch."""
    order = np.random.default_rng((phase.seed, epoch)).permutation(rows)
    return order[: max(len(rows) // phase.batch, 1) * phase.batch].astype(np.int32)


def _averaged(average: Weights, weights: Weights, keep: float) -> Weights:
    if not average:
        return weights
    pairs = zip(average, weights, strict=True)
    return [(keep * a + (1 - keep) * w).astype(np.float32) for a, w in pairs]


def place(phase: Phase, folder: Path, state: Path) -> Path:
    """Return the file of a phase's averaged weights."""
    return (state if phase.large else folder) / f"{phase.name}.npz"


def save(file: Path, weights: Weights, **stored: NDArray[Any]) -> None:
    """Write weights, matrices in 16 bits, and further arrays by name."""
    kept = [w.astype(np.float16 if w.ndim > 1 else np.float32) for w in weights]
    stream = io.BytesIO()
    np.savez(stream, *kept, **stored)  # type: ignore[arg-type]
    replace(file, stream.getvalue())


def load(file: Path) -> tuple[Weights, dict[str, NDArray[Any]]]:
    """Return the weights (in 32 bits) and the further arrays of a file."""
    with np.load(file) as arrays:
        names = sorted(arrays.files, key=lambda name: int(name[4:]) if name[:4] == "arr_" else -1)
        own = [name for name in names if name.startswith("arr_")]
        weights = [arrays[name].astype(np.float32) for name in own]
        return weights, {name: arrays[name] for name in names if name not in own}


def add_probe(
    file: Path, fresh: keras.Model, probe: NDArray[np.uint8], body: keras.Model | None = None
) -> None:
    """Store a few inputs in a checkpoint, and what a float32 network with its weights answers."""
    weights, _ = load(file)
    fresh.set_weights(weights)
    seen = probe.astype(np.float32)
    answer = fresh(body(seen, training=False) if body else seen, training=False)
    answer = ops.convert_to_numpy(answer)
    save(file, weights, probe=probe, answer=np.asarray(answer, dtype=np.float32))


class Phases:
    """What has been done so far, in phases.json: {phase: {"done": bool, "epochs": [figures]}}."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "phases.json"
        self.all = json.loads(self.file.read_text()) if self.file.exists() else {}

    def epochs(self, name: str) -> list[dict[str, float]]:
        """Return the list of a phase's figures, to be continued."""
        found: list[dict[str, float]] = self.all.setdefault(name, {"done": False, "epochs": []})[
            "epochs"
        ]
        return found

    def is_done(self, name: str, file: Path | None = None) -> bool:
        """Return whether a phase is over, and the file of its weights there."""
        return bool(self.all.get(name, {}).get("done")) and (file is None or file.exists())

    def finish(self, name: str) -> None:
        self.all[name]["done"] = True
        self.write()

    def write(self) -> None:
        replace(self.file, json.dumps(self.all, indent=1).encode())


class Budget:
    """Divides what is left of a time limit among the phases still to come."""

    def __init__(self, minutes: float, phases: Sequence[Phase], folder: Path) -> None:
        self.end = time.monotonic() + 60 * minutes
        self.phases, self.folder = phases, folder

    def seconds(self, phase: Phase) -> float:
        """Return the seconds for a phase: its part of those left."""
        done = Phases(self.folder)
        parts = [each.part for each in self.phases if not done.is_done(each.name)]
        return (self.end - time.monotonic()) * phase.part / sum(parts)
