"""Calibrated actions of photos by the shipped network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.action.backbone import encode, preprocess
from ml.calibration import softmax
from ml.labels import ACTIONS
from ml.manifest import entry
from ml.networks import compiled, import_keras, network
from ml.types import Float64Array


@dataclass(frozen=True)
class ActionScores:
    """The network's scores of n photos.

    `probabilities` (n, 15) are calibrated, in the order of ACTIONS, given that the photo shows one
    of them; `familiarity` (n,) in [-1, 1] is its similarity to photos that do.
    """

    probabilities: Float64Array
    familiarity: Float64Array


def score(photos: Sequence[Image.Image]) -> ActionScores:
    """Return the scores of whole photos of any size."""
    features = encode([preprocess(photo) for photo in photos])._asdict()
    import_keras()
    import ml.action.blocks  # noqa: F401  registers the layers of the file

    inputs = [features[tensor.name] for tensor in network("action").inputs]
    logits, familiarity = compiled("action")(*inputs)
    return ActionScores(
        softmax(logits, entry("action")["temperature"]),
        np.asarray(familiarity[:, 0], dtype=np.float64),
    )


def predict(photos: Sequence[Image.Image]) -> Float64Array:
    """Return (n, 15) probabilities in the order of ACTIONS for photos that show one of them."""
    return score(photos).probabilities


def are_named(probabilities: Float64Array, familiarity: Float64Array) -> NDArray[np.bool_]:
    """Return for n photos whether they are familiar and one action certain enough to name.

    Both thresholds are chosen on HAR's `val` split.
    """
    described = entry("action")
    familiar = familiarity >= described["familiarity"]
    return np.asarray(familiar & (probabilities.max(axis=1) >= described["threshold"]))


def recognise(photo: Image.Image) -> tuple[dict[str, float], str | None]:
    """Return the probabilities of one photo's actions, and the action if it is certain enough.

    For an unfamiliar photo the probabilities are uniform: what the network predicts for a lake or a
    plate is meaningless.
    """
    scores = score([photo])
    familiar = scores.familiarity[0] >= entry("action")["familiarity"]
    row = scores.probabilities[0] if familiar else np.full(len(ACTIONS), 1 / len(ACTIONS))
    action = {name: float(p) for name, p in zip(ACTIONS, row, strict=True)}
    named = are_named(scores.probabilities, scores.familiarity)[0]
    return action, max(action, key=lambda name: action[name]) if named else None
