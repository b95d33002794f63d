"""Calibrated emotions of face crops by the shipped network, and how sure they are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.arrays import Float32Array, Float64Array
from ml.calibration import conformal_sets, softmax
from ml.labels import EMOTIONS, UNCERTAIN
from ml.manifest import entry
from ml.networks import compiled

LABELLED, VOTED = slice(0, len(EMOTIONS)), slice(len(EMOTIONS), 2 * len(EMOTIONS))
"""Of the network's logits: what FER-2013 labels a face, and what ten FER+ voters see in it.

They are two questions: label and majority agree on two thirds of the images.
"""

SIDE = 48
"""Side in pixels of a face that is framed as FER-2013 frames it."""

SIZE = 44
"""Side in pixels of what the shipped network takes."""

TTA_VIEWS = ((2, False), (0, True), (4, False))
"""Pixels cut off at each edge of a face, and whether it is mirrored, for each view.

On the validation part the mean of these three has a log loss of .784, of the middle and its mirror
image .786, of both with the other two .781 at a fifth more time. Where a detector frames a face
differently from FER-2013, one of the views is closer to it.
"""


def tta_views(faces: NDArray[np.uint8]) -> Float32Array:
    """Return what the network takes of (n, 48, 48) grey bytes, (3 n, 44, 44, 1), view by view."""
    import cv2  # web machines have none, and know this module for what an answer means

    def crop(face: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
        part = face[edge : SIDE - edge, edge : SIDE - edge]
        how = cv2.INTER_AREA if len(part) > SIZE else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (SIZE, SIZE), interpolation=how), dtype=np.uint8)

    views = [
        crop(face, edge)[:, :: -1 if mirrored else 1]
        for edge, mirrored in TTA_VIEWS
        for face in faces
    ]
    return np.stack(views)[..., None].astype(np.float32)


def logits(network: Callable[[Float32Array], Any], faces: NDArray[np.uint8]) -> Float64Array:
    """Return (n, 14) logits LABELLED and VOTED of (n, 48, 48) grey bytes, averaged over views."""
    each = np.asarray(network(tta_views(faces)), dtype=np.float64)
    return np.asarray(each.reshape(len(TTA_VIEWS), len(faces), -1).mean(axis=0))


def predict(faces: NDArray[np.uint8]) -> Float64Array:
    """Return (n, 7) probabilities in the order of EMOTIONS for (n, 48, 48) grey bytes.

    They are framed as FER-2013 frames a face.
    """
    return predict_both(faces)[:, LABELLED]


def predict_both(faces: NDArray[np.uint8]) -> Float64Array:
    """Return (n, 14): the probabilities of `predict`, LABELLED, and what people would say, VOTED.

    The latter are the shares of ten people who would see each of EMOTIONS in the faces.
    """
    if not len(faces):
        return np.zeros((0, 2 * len(EMOTIONS)))
    seen, described = logits(compiled("emotion"), faces), entry("emotion")
    label = softmax(seen[:, LABELLED], *described["label"])
    votes = softmax(seen[:, VOTED], *described["votes"])
    return np.column_stack([label, votes])


def conformal_set(probabilities: Mapping[str, float]) -> tuple[str, ...]:
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
