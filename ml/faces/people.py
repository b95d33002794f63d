"""Tell people from what detectors take for them: paintings, drawings, statues and animals.

A logistic regression on what the image backbone sees at the face. `ml/models/people/CARD.md` says
what it was learned from and how well it does.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image

from ml.action.backbone import encode, preprocess
from ml.faces.detection import Detection, detect
from ml.manifest import model_file
from ml.types import Float32Array, Float64Array

GRID = 16
"""Patches of the backbone along each side of a view."""


def find_people(photo: Image.Image) -> tuple[Detection, ...]:
    """Return the faces of people in a photo of any size and mode, the largest first."""
    faces = detect(photo)
    return of_people(faces, encode([preprocess(photo)]).tokens[0]) if faces else ()


def of_people(faces: Sequence[Detection], tokens: Float32Array) -> tuple[Detection, ...]:
    """Return the faces that are people's, in the same order.

    `tokens` (257, 384) are those of the whole photo, as `ml.action.backbone.Encoding` has them.
    """
    weights, bias = regression()
    return tuple(face for face in faces if at_face(tokens, face.box) @ weights + bias > 0)


def at_face(tokens: Float32Array, box: tuple[float, float, float, float]) -> Float64Array:
    """Return the mean (384,) of the patches under a box (x, y, width, height) in fractions."""
    x, y, width, height = box
    left, top, right, bottom = np.clip((x, y, x + width, y + height), 0, 1 - 1e-6) * GRID
    patches = tokens[1:].reshape(GRID, GRID, -1)
    under = patches[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
    return np.asarray(under.mean(axis=(0, 1)), dtype=np.float64)


@cache
def regression() -> tuple[Float64Array, float]:
    """Return the weights (384,) and the bias, loaded once per process."""
    with np.load(model_file("people")) as file:
        return file["weights"].astype(np.float64), float(file["bias"])
