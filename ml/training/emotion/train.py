"""Train an emotion network: one command, seeded, resumable.

KERAS_BACKEND=torch python -m ml.training.emotion.train --data fer2013.parquet --out RUN \\
    --faces package/model [--teacher OTHER_RUN ...] [--network baseline_cnn]
"""

import argparse
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.calibration import softmax
from ml.emotion.predict import LABELLED, SIDE, SIZE, VOTED
from ml.training.calibration import fit_temperature, log_loss
from ml.training.emotion import pretrained
from ml.training.emotion.data import Batches, Faces, centre, read_training, targets
from ml.training.emotion.fused import FusedBatchNormalization
from ml.training.emotion.model import VIEW, baseline_cnn, build, plain
from ml.types import Float32Array

log = logging.getLogger(__name__)

# TensorFlow has no channels-first convolution on a CPU; on torch that is the fast layout.
FORMAT = "channels_first" if keras.backend.backend() == "torch" else "channels_last"


AVERAGED_EVERY = 4
"""Steps between updates of the averaged weights; each update takes a tenth of a step's time."""


WIDTHS = {"plain": (32, 64, 128, 256), "wide": (32, 96, 256, 512)}
"""Channels of the pairs of convolutions in the plain networks."""


@dataclass(frozen=True)
class Plan:
    """The network to train and its hyperparameters.

    `frame` is the side of the part of FER-2013's 48 pixels that the network takes, `augmentation`
    how often views are made coarse, noisy, dark or partly covered, `mixed` the parameter of mixup
    (0 for none), `share` the teachers' part of the targets.
    """

    network: str = "emotion"
    frame: int = SIZE
    view: int = VIEW
    epochs: int = 24
    batch: int = 128
    rate: float = 0.05
    decay: float = 5e-4
    average: float = 0.998
    augmentation: float = 1.0
    mixed: float = 0.0
    share: float = 0.5
    seed: int = 7

    def fresh(self) -> keras.Model:
        """Return the network to train, on views of `view` pixels."""
        return self._built(
            self.view, None, data_format=FORMAT, normalization=FusedBatchNormalization
        )

    def shipped(self, **options: Any) -> keras.Model:
        """Return the network that takes faces of `frame` pixels; options as for `build`."""
        return self._built(self.frame, self.view, **options)

    def _built(self, size: int, view: int | None, **options: Any) -> keras.Model:
        if self.network == "baseline_cnn":
            return baseline_cnn(**options)
        if self.network in WIDTHS:
            return plain(size, widths=WIDTHS[self.network], name=self.network, **options)
        return build(size, view=view, **options)


PLANS = {
    "emotion": Plan(),
    "wide": Plan("wide", view=SIZE, epochs=95, rate=0.1, decay=3e-3, augmentation=0.6, mixed=0.2),
    "plain": Plan("plain", view=SIZE, epochs=60, rate=0.1),
    "baseline_cnn": Plan("baseline_cnn", frame=SIDE, view=SIDE, epochs=20),
}


def current_name(network: str) -> str:
    """Return the name of a network, also for the former name of the baseline."""
    return {"seed": "baseline_cnn"}.get(network, network)


class Average(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a moving average of the weights (Polyak) in a second network, which is shipped."""

    def __init__(self, average: keras.Model, momentum: float) -> None:
        super().__init__()
        self.average, self.momentum = average, momentum

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        if batch % AVERAGED_EVERY:
            return
        step = int(self.model.optimizer.iterations)
        # Early on the average must forget faster, or it keeps too much of the random start.
        keep = min(self.momentum, (1 + step) / (10 + step)) ** AVERAGED_EVERY
        for kept, new in zip(self.average.weights, self.model.weights, strict=True):
            value = keras.ops.cast(new, kept.dtype)
            kept.assign(kept * keep + value * (1 - keep))


def compiled(plan: Plan, model: keras.Model, steps: int) -> keras.Model:
    """Compile the network with SGD and one cosine with a warm-up; return it."""
    optimizer = keras.optimizers.SGD(
        schedule(plan, steps), momentum=0.9, nesterov=True, weight_decay=plan.decay
    )
    model.compile(optimizer, loss, metrics=[accuracy])
    return model


def loss(goal: Any, logits: Any) -> Any:
    """Return the cross-entropy (n,) of the label, plus half that of the votes if predicted.

    `goal` is (n, 14) shares. A network with seven logits, such as the baseline CNN, learns only the
    label.
    """
    crossed = keras.losses.categorical_crossentropy
    label = crossed(goal[:, LABELLED], logits[:, LABELLED], from_logits=True)
    if logits.shape[1] == VOTED.start:
        return label
    return label + 0.5 * crossed(goal[:, VOTED], logits[:, VOTED], from_logits=True)


def accuracy(goal: Any, logits: Any) -> Any:
    """Return (n,) whether the top label is the true one."""
    return keras.metrics.categorical_accuracy(goal[:, LABELLED], logits[:, LABELLED])


def schedule(plan: Plan, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return a schedule of one warm-up epoch and a cosine over the rest of the plan."""
    return keras.optimizers.schedules.CosineDecay(
        0.005,
        decay_steps=max(1, plan.epochs - 1) * steps,
        warmup_target=plan.rate,
        warmup_steps=steps,
        alpha=0.002,
    )


def logits_of(model: keras.Model, images: NDArray[np.uint8], frame: int = SIZE) -> Float32Array:
    """Return logits of (n, 48, 48) images, averaged over each face and its mirror image."""
    views = centre(images, frame)
    both = [model.predict(v, batch_size=128, verbose=0) for v in (views, views[:, :, ::-1])]
    return np.asarray((both[0] + both[1]) / 2, dtype=np.float32)


def teacher_probabilities(runs: Sequence[Path], images: NDArray[np.uint8]) -> Float32Array | None:
    """Return (n, 7) mean probabilities of the best networks of other runs, None without runs."""
    if not runs:
        return None
    models = [keras.models.load_model(run / "best.keras", compile=False) for run in runs]
    predictions = [
        softmax(logits_of(model, images, model.input.shape[1])[:, LABELLED]) for model in models
    ]
    return np.asarray(np.mean(predictions, axis=0), dtype=np.float32)


def train(
    data: Path,
    out: Path,
    plan: Plan,
    *,
    begin: Callable[[keras.Model, Faces], None] = lambda model, faces: None,  # noqa: ARG005
    teachers: Sequence[Path] = (),
) -> Path:
    """Train or resume a stopped run; return the file of the best averaged network.

    `begin` sets the initial weights of a new network. The best epoch has the lowest log loss on the
    validation part; accuracy on two thousand faces is less precise. The loss is measured after
    calibration, because the shipped network is calibrated and confidence depends on the targets.
    """
    out.mkdir(parents=True, exist_ok=True)
    training, validation = read_training(data, seed=Plan.seed)
    goal = targets(training, teacher_probabilities(teachers, training.images), share=plan.share)
    log.info("training %d, validation %d", len(training), len(validation))
    steps = len(training) // plan.batch
    views = enlarged(centre(validation.images, plan.frame), plan.view)
    average, shipped = plan.fresh(), plan.shipped()
    resumed = _resume(out, average)
    if resumed is None:
        model = plan.fresh()
        history: list[dict[str, float]] = []
        begin(model, training)
        average.set_weights(model.get_weights())
        compiled(plan, model, steps)
    else:
        model, history = resumed
        model.optimizer.learning_rate = schedule(
            plan, steps
        )  # the plan may differ when a run is resumed
    for epoch in range(len(history), plan.epochs):
        batches = Batches(
            training.images,
            goal,
            epoch=epoch,
            seed=plan.seed,
            frame=plan.frame,
            size=plan.view,
            batch=plan.batch,
            data_format=FORMAT,
            augmentation=plan.augmentation,
            mixed=plan.mixed,
        )
        fitted = _epoch(model, batches, Average(average, plan.average))
        history.append({"epoch": epoch + 1} | fitted | _measure(average, views, validation))
        log.info("%s", json.dumps(history[-1]))
        if history[-1]["loss"] <= min(h["loss"] for h in history):
            shipped.set_weights(average.get_weights())
            _save(shipped, out / "best.keras")
        _save(model, out / "last.keras")
        _save(average, out / "average.keras")
        (out / "history.json").write_text(json.dumps(history, indent=1))
    return out / "best.keras"


def weights_of_recogniser(folder: Path) -> Callable[[keras.Model, Faces], None]:
    """Return an initialiser with the recogniser's weights in the folder."""
    weights = pretrained.read(folder)

    def begin(model: keras.Model, faces: Faces) -> None:
        some = Batches(
            faces.images,
            np.zeros((len(faces), 1), np.float32),
            epoch=0,
            seed=0,
            frame=SIZE,
            size=VIEW,
            batch=512,
            data_format=FORMAT,
        )
        pretrained.load_weights(model, weights, some[0][0])

    return begin


def weights_of_run(run: Path) -> Callable[[keras.Model, Faces], None]:
    """Return an initialiser with the best weights of another run."""
    trained = keras.models.load_model(run / "best.keras", compile=False)

    def begin(model: keras.Model, faces: Faces) -> None:  # noqa: ARG001
        by_name = {layer.name: layer.get_weights() for layer in trained.layers}
        for layer in model.layers:
            weights = by_name.get(layer.name, [])
            if [w.shape for w in weights] == [w.shape for w in layer.weights]:
                layer.set_weights(weights)
            elif layer.name == "logits":  # from a network without logits for votes
                layer.set_weights([np.concatenate([w, w], axis=-1) for w in weights])

    return begin


def _epoch(model: keras.Model, batches: Batches, averaging: Average) -> dict[str, float]:
    began = time.monotonic()
    fitted = model.fit(batches, verbose=0, callbacks=[averaging])
    return {
        "training_loss": round(fitted.history["loss"][0], 4),
        "training_accuracy": round(fitted.history["accuracy"][0], 4),
        "seconds": round(time.monotonic() - began, 1),
    }


def enlarged(faces: NDArray[np.uint8], side: int) -> Float32Array:
    """Return (n, size, size, 1) faces resized to a side, in the layout for training."""
    views = keras.ops.image.resize(
        faces.astype(np.float32),
        (side, side),
        interpolation="bilinear",
        data_format="channels_last",
    )
    array = np.asarray(keras.ops.convert_to_numpy(views), dtype=np.float32)
    return array if FORMAT == "channels_last" else np.moveaxis(array, -1, 1)


def _measure(average: keras.Model, views: Float32Array, validation: Faces) -> dict[str, float]:
    across = views[:, :, ::-1] if FORMAT == "channels_last" else views[..., ::-1]
    both = [average.predict(v, batch_size=128, verbose=0)[:, LABELLED] for v in (views, across)]
    logits = (both[0] + both[1]) / 2
    one_hot = np.eye(logits.shape[1])[validation.labels]
    right = logits.argmax(axis=1) == validation.labels
    calibrated = log_loss(logits, one_hot, fit_temperature(logits, one_hot))
    return {"accuracy": round(float(right.mean()), 4), "loss": round(calibrated, 4)}


def _resume(out: Path, average: keras.Model) -> tuple[keras.Model, list[dict[str, float]]] | None:
    if not (out / "history.json").exists():
        return None
    average.set_weights(keras.models.load_model(out / "average.keras", compile=False).get_weights())
    objects = {"loss": loss, "accuracy": accuracy}
    return keras.models.load_model(out / "last.keras", custom_objects=objects), json.loads(
        (out / "history.json").read_text()
    )


def _save(model: keras.Model, path: Path) -> None:
    beside = path.with_name(f"new-{path.name}")
    model.save(beside)
    beside.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="fer2013.parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--network", choices=PLANS, default="emotion", type=current_name)
    parser.add_argument("--faces", type=Path, help="folder of the face recogniser's weights")
    parser.add_argument("--start", type=Path, help="folder of a run to start from instead")
    parser.add_argument("--teacher", type=Path, nargs="*", default=[], help="folders of other runs")
    parser.add_argument("--epochs", type=int)
    parser.add_argument(
        "--augmentation", "--harm", type=float, help="how often views are augmented, 1 by default"
    )
    parser.add_argument("--share", type=float, help="the teachers' part of the targets")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="of views and dropout")
    parser.add_argument("--bfloat16", action="store_true", help="twice as fast on recent CPUs")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    keras.utils.set_random_seed(given.seed)
    if given.bfloat16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    plan = replace(PLANS[given.network], seed=given.seed)
    names = ("epochs", "rate", "augmentation", "share")
    chosen = {name: getattr(given, name) for name in names}
    plan = replace(plan, **{name: value for name, value in chosen.items() if value is not None})
    begin = {}
    if given.start:
        begin["begin"] = weights_of_run(given.start)
    elif given.faces:
        begin["begin"] = weights_of_recogniser(given.faces)
    log.info("best: %s", train(given.data, given.out, plan, teachers=given.teacher, **begin))


if __name__ == "__main__":
    main()
