"""Check here what was trained elsewhere, measure it on the validation part, hand it to publishing.

Nothing is published: the commands that are printed do that, and choose thresholds as ever.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from PIL import Image

from ml.calibration import softmax
from ml.emotion.predict import LABELLED
from ml.training.accelerated import action as actions
from ml.training.accelerated import emotion as emotions
from ml.training.accelerated.loop import Phases, load
from ml.types import Float32Array

log = logging.getLogger(__name__)

TOLERANCE = 0.1
"""Of logits: a checkpoint holds 16 bits, and every machine adds in another order."""


class Different(ValueError):
    """A network doesn't answer here as it did where it was trained."""


def emotion(
    data: Path,
    run: Path,
    *,
    teachers: Sequence[emotions.Member] = emotions.TEACHERS,
    student: emotions.Member = emotions.STUDENT,
) -> dict[str, Any]:
    """Check all networks of a run, measure them on the validation part, write RUN/best.keras."""
    from ml.training.emotion.data import read_training
    from ml.training.emotion.publish import tta_logits
    from ml.training.emotion.train import Plan

    _, validation = read_training(data, seed=Plan.seed)
    found: dict[str, Any] = {}
    said = []
    for member in (*teachers, student):
        file = run / f"{member.phase.name}.npz"
        if not file.exists():
            log.warning("%s isn't there: it wasn't trained, or didn't come back", file)
            continue
        network = member.build()
        check(network, file)
        logits = tta_logits(network, validation.images)[:, LABELLED].astype(np.float32)
        found[member.phase.name] = emotions.measured(logits, validation.labels)
        if member is student:
            network.save(run / "best.keras")
        else:
            said.append(softmax(logits))
    if said:
        mean: Float32Array = np.log(np.mean(said, axis=0)).astype(np.float32)
        found["teachers"] = emotions.measured(mean, validation.labels)
    _write_curves(run, student.phase.name)
    log.info("%s", json.dumps(found, indent=1))
    log.info("next: python -m ml.training.emotion.publish --data %s --run %s", data, run)
    return found


def action(data: Path, run: Path, cache: Path) -> dict[str, Any]:
    """Check the student of a run, measure it on `val`, write RUN/last.keras.

    `cache` is the folder of `ml.training.action.data`, with the tokens of the frozen blocks.
    """
    from ml.training.action.blocks import build
    from ml.training.action.data import open_cache, part_of
    from ml.training.action.tune import measured

    name = actions.STUDENT.name
    network = build()
    check(network, run / f"{name}.npz", tokens=True)
    cached = open_cache(data, cache)
    found = measured(network, cached.tokens, cached.computed(part_of(data, "val")))
    network.save(run / "last.keras")
    _write_curves(run, name)
    log.info("%s", json.dumps(found))
    log.info(
        "next: python -m ml.training.action.publish --data %s --cache %s --run %s", data, cache, run
    )
    return found


def check(network: keras.Model, file: Path, *, tokens: bool = False) -> None:
    """Load a checkpoint; raise Different unless the network answers as it did there.

    With `tokens` the stored inputs are photos, which the worker's own backbone encodes first.
    """
    weights, stored = load(file)
    network.set_weights(weights)
    seen = stored["probe"].astype(np.float32)
    if tokens:
        from ml.action.backbone import encode

        seen = encode([Image.fromarray(photo) for photo in stored["probe"]]).tokens
    answer = ops.convert_to_numpy(network(seen, training=False))
    most = float(np.abs(answer - stored["answer"]).max())
    if most > TOLERANCE:
        raise Different(f"{file} differs by {most:.3f} from where it was trained. Fetch it again.")
    log.info("%s: the same answers, to %.4f", file.name, most)


def _write_curves(run: Path, student: str) -> None:
    """Write history.json as `publish` reads it: the student's epochs alone."""
    epochs = Phases(run).epochs(student)
    (run / "history.json").write_text(json.dumps(epochs, indent=1))
