"""Calibrated emotions of face crops by the shipped network, and how sure they are."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ml.calibration import Floats, conformal_sets, softmax
from ml.emotion.parts import LABELLED, VOTED
from ml.labels import EMOTIONS, UNCERTAIN
from ml.manifest import entry
from ml.networks import compiled

SIZE = 44
"""Side of the crops that the shipped network takes, in pixels."""


def predict(faces: NDArray[np.uint8]) -> Floats:
    """Return (n, 7) probabilities in the order of EMOTIONS for (n, 44, 44) grey bytes.

    The logits of a face and of its mirror image are averaged before they are calibrated.
    """
    return _asked(faces, LABELLED, "label")


def predict_votes(faces: NDArray[np.uint8]) -> Floats:
    """Return (n, 7) shares of ten people who would see each of EMOTIONS in the faces."""
    return _asked(faces, VOTED, "votes")


def _asked(faces: NDArray[np.uint8], question: slice, scaling: str) -> Floats:
    if not len(faces):
        return np.zeros((0, len(EMOTIONS)))
    views = np.concatenate([faces, faces[:, :, ::-1]])[..., None].astype(np.float32)
    logits = compiled("emotion")(views)[:, question].astype(np.float64)
    mean = (logits[: len(faces)] + logits[len(faces) :]) / 2
    return softmax(mean, *entry("emotion")[scaling])


def likely(probabilities: Mapping[str, float]) -> tuple[str, ...]:
    """Return the emotions, likeliest first, among which the true one is in nine of ten cases.

    A conformal set: on faces like those of the validation part it holds that often whatever the
    network does.
    """
    row = np.array([[probabilities[name] for name in EMOTIONS]])
    inside = conformal_sets(row, entry("emotion")["conformal"]["threshold"])[0]
    ordered = sorted(probabilities, key=lambda name: -probabilities[name])
    return tuple(name for name in ordered if inside[EMOTIONS.index(name)])


def answer(probabilities: Mapping[str, float]) -> str:
    """Return the emotion, or UNCERTAIN where it would be wrong too often to be named."""
    top = max(probabilities, key=lambda name: probabilities[name])
    return top if probabilities[top] >= entry("emotion")["threshold"] else UNCERTAIN
