"""HAR: DINOv2 ViT-S/14 tuned as a whole, then the student in the two blocks that are served.

The worker runs the first ten blocks from a package as they are (`ml.action.backbone`), so the
student may change only the last two: it sees what the frozen blocks make of the augmented photos,
and learns what networks say that could change everything.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ml.action.backbone import FROZEN_BLOCKS, SIDE
from ml.action.blocks import Block
from ml.labels import ACTIONS
from ml.training.accelerated.augmentation import Augmentation
from ml.training.accelerated.emotion import PROBES, RESERVE, in_float32, measured
from ml.training.accelerated.loop import Budget, Learner, Phase, Phases, add_probe, load, place, run
from ml.training.action.blocks import build, load_backbone_weights, load_block
from ml.training.pack import Arrays, images_of, read
from ml.types import Float32Array, Int64Array

log = logging.getLogger(__name__)

_MEAN, _SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # as in ml.action.backbone
SMOOTHING = 0.1

TEACHER = Phase(
    "action-1", 14, 5e-5, batch=64, decay=0.05, adam=True, warm=2, keep=0.5, part=1.0, large=True
)
TEACHERS = (TEACHER, replace(TEACHER, name="action-2", seed=8))
STUDENT = replace(
    TEACHER, name="action-student", epochs=40, rate=2e-4, keep=0.7, part=1.2, share=0.7, seed=9,
    large=False,
)  # fmt: skip
AUGMENTATION = Augmentation(
    angle=8.0, zoom=(0.55, 1.0), shift=0.12, coarse=0.05, soft=0.05, grain=0.05, erased=0.25,
    mixed=0.4, cut=0.5,
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Dimensions of the backbone; the defaults are those of the packed weights."""

    side: int = SIDE
    patch: int = 14
    width: int = 384
    heads: int = 6


@keras.saving.register_keras_serializable("storify")
class Positions(layers.Layer):  # type: ignore[misc]
    """Puts the class token before the patches' tokens and adds every place's embedding."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.token = self.add_weight((1, 1, shape[2]), "zeros", name="token")
        self.places = self.add_weight((1, (shape[1] or 0) + 1, shape[2]), "zeros", name="places")

    def call(self, x: Any) -> Any:
        first = ops.broadcast_to(self.token, (ops.shape(x)[0], 1, x.shape[2]))
        return ops.concatenate([ops.cast(first, x.dtype), x], axis=1) + self.places


def frozen(size: Size, skip: float = 0.0) -> keras.Model:
    """Return the backbone's first blocks: (batch, side, side, 3) bytes to tokens."""
    photo = keras.Input((size.side, size.side, 3), name="photo")
    x = layers.Rescaling(1 / 255)(photo)
    x = layers.Normalization(mean=_MEAN, variance=[sd**2 for sd in _SD])(x)
    x = layers.Conv2D(size.width, size.patch, size.patch, name="patches")(x)
    x = Positions(name="positions")(layers.Reshape((-1, size.width))(x))
    for n in range(FROZEN_BLOCKS):
        x = Block(size.width, size.heads, skip, name=f"block{n}")(x)
    return keras.Model(photo, x, name="frozen")


def whole(size: Size, skip: float = 0.1) -> keras.Model:
    """Return the backbone with the served last blocks and logits."""
    first, last = frozen(size, skip), build(width=size.width, heads=size.heads, skip=skip)
    photo = keras.Input((size.side, size.side, 3), name="photo")
    return keras.Model(photo, last(first(photo)), name="whole")


def load_weights(network: keras.Model, weights: Mapping[str, Float32Array]) -> None:
    """Set a network of `whole` to the backbone's weights; its logits begin with zeros."""
    first, last = network.get_layer("frozen"), network.get_layer("tuned")
    kernel = weights["patches.weight"].transpose(2, 3, 1, 0)
    first.get_layer("patches").set_weights([kernel, weights["patches.bias"]])
    first.get_layer("positions").set_weights([weights["class"], weights["positions"]])
    for n in range(FROZEN_BLOCKS):
        load_block(first.get_layer(f"block{n}"), n, weights)
    load_backbone_weights(last, weights)
    head = last.get_layer("logits")
    head.set_weights([np.zeros_like(weight) for weight in head.get_weights()])


def train(
    packs: Path,
    out: Path,
    state: Path,
    minutes: float,
    *,
    size: Size = Size(),
    teachers: Sequence[Phase] = TEACHERS,
    student: Phase = STUDENT,
) -> bool:
    """Tune the teachers, then the student's blocks, in the time; return whether all are done."""
    data, backbone = unpacked(packs)
    phases = [*teachers, student]
    budget = Budget(minutes - RESERVE, phases, out)
    trained: list[keras.Model] = []
    for phase in phases:
        keras.utils.set_random_seed(phase.seed)
        network, file = whole(size), place(phase, out, state)
        load_weights(network, backbone)
        if phase is not student and Phases(out).is_done(phase.name, file):
            network.set_weights(load(file)[0])
        elif not Phases(out).is_done(phase.name, file):
            taught = trained if phase is student else None
            learner = _learner(phase, network, data, taught)
            seconds = budget.seconds(phase)
            if not _run(phase, learner, data, folder=out, state=state, seconds=seconds):
                return False
            if phase is student:
                _probe(file, data, backbone, size)
        trained.append(network)
    return True


def unpacked(packs: Path) -> tuple[Arrays, dict[str, Float32Array]]:
    """Return the packed photos with labels, and the backbone's weights."""
    data = read(packs, "action")
    data["images"] = images_of(data)
    log.info("photos: %d, of which %d validate", len(data["images"]), data["validation"].sum())
    return data, {key: w.astype(np.float32) for key, w in read(packs, "backbone").items()}


def _learner(
    phase: Phase, network: keras.Model, data: Arrays, teachers: Sequence[keras.Model] | None
) -> Learner:
    """Return the learner of a teacher (all of the network), or of a student (its last blocks)."""
    classes = len(ACTIONS)
    goals = (1 - SMOOTHING) * np.eye(classes, dtype=np.float32)[data["labels"]]
    trained, body = network, None
    if teachers is not None:
        trained, body = network.get_layer("tuned"), network.get_layer("frozen")
    return Learner(
        trained, data["images"], goals + np.float32(SMOOTHING / classes), crossed=crossed,
        augmentation=AUGMENTATION, phase=phase, body=body, teachers=teachers or [],
    )  # fmt: skip


def crossed(goals: Any, logits: Any) -> Any:
    """Return the cross-entropy (n,)."""
    return keras.losses.categorical_crossentropy(goals, logits, from_logits=True)


def _run(phase: Phase, learner: Learner, data: Arrays, **where: Any) -> bool:
    held_out, labels = np.flatnonzero(data["validation"]), data["labels"]
    rows: Int64Array = np.flatnonzero(~data["validation"])

    def measure(learner: Learner) -> dict[str, float]:
        logits = learner.predict(held_out.astype(np.int32), batch_size=128, verbose=0)
        return {"photos": len(rows)} | measured(logits, labels[held_out])

    return run(phase, learner, rows, measure, **where)


def _probe(file: Path, data: Arrays, backbone: Mapping[str, Float32Array], size: Size) -> None:
    """Store what the student says of a few photos, with the frozen blocks in float32."""
    network = in_float32(lambda: whole(size))
    load_weights(network, backbone)
    probe = data["images"][data["validation"]][:PROBES]
    add_probe(file, network.get_layer("tuned"), probe, network.get_layer("frozen"))
