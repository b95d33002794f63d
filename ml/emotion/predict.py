"""Calibrated emotions of face crops by the shipped network, their labels and conformal sets."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.calibration import conformal_sets, softmax
from ml.labels import EMOTIONS, UNCERTAIN
from ml.manifest import entry
from ml.networks import compiled
from ml.types import Float32Array, Float64Array

LABELLED, VOTED = slice(0, len(EMOTIONS)), slice(len(EMOTIONS), 2 * len(EMOTIONS))
"""Columns of the network's logits: FER-2013's label, and the votes of ten FER+ voters.

Label and majority agree on only two thirds of the images.
"""

SIDE = 48
"""Side in pixels of a face framed as in FER-2013."""

SIZE = 44
"""Side in pixels of the shipped network's input."""

TTA_VIEWS = ((2, False), (0, True), (4, False))
"""Pixels cut off at each edge of a face, and whether it is mirrored, for each view.

On the validation part the mean of these three has a log loss of .784, the centre and its mirror
image .786, both with the other two .781 at a fifth more time. If a detector frames a face
differently from FER-2013, one of the views is closer to FER-2013's frame.
"""


def tta_views(faces: NDArray[np.uint8]) -> Float32Array:
    """Return the network's input (3 n, 44, 44, 1) for (n, 48, 48) grey bytes, view by view."""
    import cv2  # not installed on web machines, which import this module for labels

    def crop(face: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
        part = face[edge : SIDE - edge, edge : SIDE - edge]
        interpolation = cv2.INTER_AREA if len(part) > SIZE else cv2.INTER_LINEAR
        return np.asarray(
            cv2.resize(part, (SIZE, SIZE), interpolation=interpolation), dtype=np.uint8
        )

    views = [
        crop(face, edge)[:, :: -1 if mirrored else 1]
        for edge, mirrored in TTA_VIEWS
        for face in faces
    ]
    return np.stack(views)[..., None].astype(np.float32)


def logits(network: Callable[[Float32Array], Any], faces: NDArray[np.uint8]) -> Float64Array:
    """Return (n, 14) logits LABELLED and VOTED of (n, 48, 48) grey bytes, averaged over views."""
    outputs = np.asarray(network(tta_views(faces)), dtype=np.float64)
    return np.asarray(outputs.reshape(len(TTA_VIEWS), len(faces), -1).mean(axis=0))


def predict(faces: NDArray[np.uint8]) -> Float64Array:
    """Return (n, 7) probabilities in the order of EMOTIONS for (n, 48, 48) grey bytes.

    The faces are framed as in FER-2013.
    """
    return predict_both(faces)[:, LABELLED]


def predict_both(faces: NDArray[np.uint8]) -> Float64Array:
    """Return (n, 14): the probabilities of the label, LABELLED, and the shares of voters, VOTED.

    The latter predict how many of ten people would see each of EMOTIONS in a face.
    """
    if not len(faces):
        return np.zeros((0, 2 * len(EMOTIONS)))
    outputs, described = logits(compiled("emotion"), faces), entry("emotion")
    label = softmax(outputs[:, LABELLED], *described["label"])
    votes = softmax(outputs[:, VOTED], *described["votes"])
    return np.column_stack([label, votes])


def conformal_set(probabilities: Mapping[str, float]) -> tuple[str, ...]:
    """Return the emotions, likeliest first, that include the true one in nine of ten cases.

    The coverage holds for faces like those of the validation part, however good the network is.
    """
    row = np.array([[probabilities[name] for name in EMOTIONS]])
    inside = conformal_sets(row, entry("emotion")["conformal"]["threshold"])[0]
    ordered = sorted(probabilities, key=lambda name: -probabilities[name])
    return tuple(name for name in ordered if inside[EMOTIONS.index(name)])


def answer(probabilities: Mapping[str, float]) -> str:
    """Return the top emotion, or UNCERTAIN below the threshold."""
    top = max(probabilities, key=lambda name: probabilities[name])
    return top if probabilities[top] >= entry("emotion")["threshold"] else UNCERTAIN
