"""Calibrated actions of photos by the shipped network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.action.backbone import encode, preprocess
from ml.arrays import Float64Array
from ml.calibration import softmax
from ml.labels import ACTIONS
from ml.manifest import entry
from ml.networks import compiled, import_keras, network


@dataclass(frozen=True)
class ActionScores:
    """What n photos look like.

    `probabilities` (n, 15) are calibrated, in the order of ACTIONS, and hold if the photo shows
    one of them at all; `familiarity` (n,) in [-1, 1] says how near it is to photos that do.
    """

    probabilities: Float64Array
    familiarity: Float64Array


def score(photos: Sequence[Image.Image]) -> ActionScores:
    """Look at whole photos of any size."""
    seen = encode([preprocess(photo) for photo in photos])._asdict()
    import_keras()
    import ml.action.blocks  # noqa: F401  its layers are in the file

    wanted = [seen[each.name] for each in network("action").inputs]
    logits, familiarity = compiled("action")(*wanted)
    return ActionScores(
        softmax(logits, entry("action")["temperature"]),
        np.asarray(familiarity[:, 0], dtype=np.float64),
    )


def predict(photos: Sequence[Image.Image]) -> Float64Array:
    """Return (n, 15) probabilities in the order of ACTIONS for photos that show one of them."""
    return score(photos).probabilities


def are_named(probabilities: Float64Array, familiarity: Float64Array) -> NDArray[np.bool_]:
    """Return for n photos whether they are familiar and one action sure enough to be named.

    Both thresholds were chosen on HAR's `val` split.
    """
    described = entry("action")
    familiar = familiarity >= described["familiarity"]
    return np.asarray(familiar & (probabilities.max(axis=1) >= described["threshold"]))


def recognise(photo: Image.Image) -> tuple[dict[str, float], str | None]:
    """Return the probabilities of one photo's actions, and the action if it is to be named.

    Where the photo is like none that the network knows, every action is as likely as any other:
    what the network would say of a lake or a plate means nothing.
    """
    scores = score([photo])
    known = scores.familiarity[0] >= entry("action")["familiarity"]
    row = scores.probabilities[0] if known else np.full(len(ACTIONS), 1 / len(ACTIONS))
    action = {name: float(p) for name, p in zip(ACTIONS, row, strict=True)}
    named = are_named(scores.probabilities, scores.familiarity)[0]
    return action, max(action, key=lambda name: action[name]) if named else None
