"""FER-2013: wide networks from nothing, then the student of all of them that is served."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ml.emotion.predict import LABELLED, SIDE, SIZE, VOTED
from ml.training.accelerated.augmentation import Augmentation
from ml.training.accelerated.loop import Budget, Learner, Phase, Phases, add_probe, load, place, run
from ml.training.calibration import fit_temperature, log_loss
from ml.training.emotion.data import Faces, centre, targets
from ml.training.emotion.model import build, plain
from ml.training.emotion.train import PLANS, loss
from ml.training.pack import images_of, read
from ml.types import Float32Array

log = logging.getLogger(__name__)

Mask = NDArray[np.bool_]

PROBES = 8
RESERVE = 0.4
"""Minutes at the end for what isn't training."""


@dataclass(frozen=True)
class Member:
    """A network and the phase that trains it."""

    phase: Phase
    build: Callable[[], keras.Model]


# Alike in size and unlike in kind or width, so that their errors differ.
TEACHERS = (
    Member(Phase("emotion-1", 200, 0.2), partial(plain, widths=(64, 128, 320, 640))),
    Member(Phase("emotion-2", 200, 0.1, seed=8), build),
    Member(Phase("emotion-3", 200, 0.2, seed=9), partial(plain, widths=(96, 160, 288, 576))),
)
STUDENT = Member(
    Phase("emotion-student", 240, 0.2, part=1.6, share=0.7, seed=10), PLANS["wide"].shipped
)


def train(
    packs: Path,
    out: Path,
    state: Path,
    minutes: float,
    *,
    teachers: Sequence[Member] = TEACHERS,
    student: Member = STUDENT,
) -> bool:
    """Train the teachers, then the student, within the time; return whether all are done."""
    faces, validation = unpacked(packs)
    members = [*teachers, student]
    budget = Budget(minutes - RESERVE, [member.phase for member in members], out)
    trained: list[keras.Model] = []
    for member in members:
        if Phases(out).is_done(member.phase.name, place(member.phase, out, state)):
            trained.append(network_of(member, out))
            continue
        taught = trained if member is student else []
        learner = _learner(member, faces, taught)
        where: dict[str, Any] = {"folder": out, "state": state}
        if not _run(
            member, learner, faces, validation, seconds=budget.seconds(member.phase), **where
        ):
            return False
        trained.append(learner.network)
    return True


def unpacked(packs: Path) -> tuple[Faces, Mask]:
    """Return all packed faces and a mask of the validation part."""
    packed = read(packs, "emotion")
    labels = packed["labels"].astype(np.int64)
    faces = Faces(images_of(packed), labels, packed["votes"].astype(np.float32))
    log.info("faces: %d, of which %d validate", len(faces), packed["validation"].sum())
    return faces, packed["validation"]


def network_of(member: Member, out: Path) -> keras.Model:
    """Return a member's network with its averaged weights."""
    network = member.build()
    network.set_weights(load(out / f"{member.phase.name}.npz")[0])
    return network


def _learner(member: Member, faces: Faces, teachers: Sequence[keras.Model]) -> Learner:
    keras.utils.set_random_seed(member.phase.seed)
    return Learner(
        member.build(), faces.images[..., None], targets(faces), crossed=loss, view=middle,
        augmentation=Augmentation(), phase=member.phase, teachers=teachers, said=probabilities,
    )  # fmt: skip


def _run(member: Member, learner: Learner, faces: Faces, validation: Mask, **where: Any) -> bool:
    held_out = np.flatnonzero(validation)

    def measure(learner: Learner) -> dict[str, float]:
        logits = learner.predict(held_out.astype(np.int32), batch_size=512, verbose=0)
        return measured(logits[:, LABELLED], faces.labels[held_out])

    done = run(member.phase, learner, np.flatnonzero(~validation), measure, **where)
    if done:
        file = place(member.phase, where["folder"], where["state"])
        add_probe(file, in_float32(member.build), centre(faces.images[held_out[:PROBES]]))
    return done


def middle(x: Any) -> Any:
    """Return the middle SIZE pixels of faces, as `centre` does."""
    edge = (SIDE - SIZE) // 2
    return x[:, edge : edge + SIZE, edge : edge + SIZE]


def probabilities(logits: Any) -> Any:
    """Return (n, 14) probabilities of the label and shares of the voters."""
    return ops.concatenate(
        [ops.softmax(logits[:, LABELLED]), ops.softmax(logits[:, VOTED])], axis=1
    )


def measured(logits: Float32Array, labels: Any) -> dict[str, float]:
    """Return the accuracy, and the log loss at the best temperature."""
    goal = np.eye(logits.shape[1])[labels]
    accuracy = (logits.argmax(axis=1) == labels).mean()
    calibrated = log_loss(logits, goal, fit_temperature(logits, goal))
    return {"accuracy": round(float(accuracy), 4), "loss": round(calibrated, 4)}


def in_float32(build: Callable[[], keras.Model]) -> keras.Model:
    """Return a network built in float32, whatever precision trains."""
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("float32")
    try:
        return build()
    finally:
        keras.mixed_precision.set_global_policy(policy)
