"""Calibrated emotions of face crops by the shipped network."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.calibration import Floats, softmax
from ml.manifest import entry
from ml.networks import network

SIZE = 44
"""Side of the crops that the shipped network takes, in pixels."""


def predict(faces: NDArray[np.uint8]) -> Floats:
    """Return (n, 7) probabilities in the order of EMOTIONS for (n, 44, 44) grey bytes.

    The logits of a face and of its mirror image are averaged before they are calibrated.
    """
    if not len(faces):
        return np.zeros((0, 7))
    views = np.concatenate([faces, faces[:, :, ::-1]])[..., None].astype(np.float32)
    logits = np.asarray(network("emotion")(views, training=False), dtype=np.float64)
    return softmax(
        (logits[: len(faces)] + logits[len(faces) :]) / 2, entry("emotion")["temperature"]
    )


def frame(encoded: bytes) -> NDArray[np.uint8]:
    """Return the (44, 44) grey middle of an encoded face framed as FER-2013 frames it."""
    with Image.open(io.BytesIO(encoded)) as image:
        grey = image.convert("L")
    whole = grey if grey.size == (48, 48) else grey.resize((48, 48), Image.Resampling.BOX)
    edge = (48 - SIZE) // 2
    return np.asarray(whole)[edge : edge + SIZE, edge : edge + SIZE]
