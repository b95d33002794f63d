"""The emotion of a photo from its faces, and seven probabilities for any image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

import ml.emotion.predict as emotions
from ml.faces.detection import Detection, crop, detect, likeness
from ml.faces.framing import focus, sharpened
from ml.images import eight_bit
from ml.labels import EMOTIONS
from ml.types import Face, Float64Array

Crops = NDArray[np.uint8]
Predict = Callable[[Crops], Float64Array]

FRAMED = 64
"""Longer side in pixels up to which an image is taken for a face crop framed as in FER-2013."""

FACELIKE = 0.3
"""BlazeFace score from which an image of at most FRAMED pixels is a face.

Of 1,948 faces of FER-2013's validation part 99.1 % reach it, and half of the others are classified
as labelled; of 60 of them shrunk to 5 pixels 7 % reach it, of 267 pictures without a face less than
half.
"""

DOUBT = 0.6
"""Weight of the uniform distribution in the emotions of an image without a face: none is named."""

SHARP = 0.12
"""Focus at which a crop has five eighths of the weight of a sharp one."""


@dataclass(frozen=True)
class View:
    """The face crops of an image (k, 48, 48), at least one, and their weights (k,)."""

    crops: Crops
    weights: Float64Array
    is_face: bool


def read_faces(photo: Image.Image, detections: Sequence[Detection]) -> tuple[Face, ...]:
    """Return every detected face with its emotions, in the same order; the weights sum to one.

    A photo is about the people it shows large and sharp: the weight of a face is the product of its
    score, its sharpness and the square root of its area, so twice the width is twice the weight.
    """
    if not detections:
        return ()
    cut = _cut(photo, detections)
    rows = emotions.predict(cut.crops)
    return tuple(
        _face(detection, _named(row), float(weight))
        for detection, row, weight in zip(detections, rows, cut.weights, strict=True)
    )


def _face(detection: Detection, probabilities: dict[str, float], weight: float) -> Face:
    return Face(_visible(detection.box), probabilities, weight, emotions.answer(probabilities))


def emotion_of(faces: Sequence[Face]) -> dict[str, float] | None:
    """Return the weighted mean of the faces' probabilities; None without a face."""
    if not faces:
        return None
    return {name: sum(f.weight * f.probabilities[name] for f in faces) for name in EMOTIONS}


def emotions_of_images(images: Sequence[Image.Image]) -> Float64Array:
    """Return (n, 7) probabilities in the order of EMOTIONS for face crops and photos alike.

    An image of at most FRAMED pixels is taken for a face. In a larger one faces are detected, if
    need be a second time with a border, because a tight crop leaves the detector no context. If
    that finds none either, the whole image is taken for a face, so every image gets a prediction.
    Several faces are averaged by their weights. If nothing looks like a face, the prediction is
    mixed with DOUBT of the uniform one: the top class stays, but is too uncertain to name.
    """
    return emotions_of_views([view(image) for image in images])


def emotions_of_views(views: Sequence[View], predict: Predict | None = None) -> Float64Array:
    """Return (n, 7) probabilities of the crops of n images.

    `predict` may return more columns, seven for each kind of output.
    """
    if not views:
        return np.zeros((0, len(EMOTIONS)))
    rows = (predict or emotions.predict)(np.concatenate([view.crops for view in views]))
    parts = np.split(rows, np.cumsum([len(view.weights) for view in views])[:-1])
    means = np.stack([view.weights @ row for view, row in zip(views, parts, strict=True)])
    doubt = np.array([0.0 if view.is_face else DOUBT for view in views])[:, None]
    return np.asarray(means * (1 - doubt) + doubt / len(EMOTIONS))


def frame(image: Image.Image) -> Crops:
    """Return a face image framed as in FER-2013 as (48, 48) grey bytes."""
    grey = (
        eight_bit(image).convert("RGB").convert("L")
    )  # a palette's transparency isn't a grey value
    size = (emotions.SIDE, emotions.SIDE)
    return np.asarray(grey if grey.size == size else grey.resize(size, Image.Resampling.BOX))


def view(image: Image.Image) -> View:
    """Return the face crops of an image of any size and mode."""
    if max(image.size) <= FRAMED:
        return View(frame(image)[None], np.ones(1), likeness(image) >= FACELIKE)
    photo = eight_bit(image).convert("RGB")
    for border in (0, round(max(photo.size) / 4)):
        bordered = ImageOps.expand(photo, border, (127, 127, 127))
        if detections := detect(bordered):
            return _cut(bordered, detections)
    return View(frame(image)[None], np.ones(1), is_face=False)


def _cut(photo: Image.Image, detections: Sequence[Detection]) -> View:
    """Return the faces as crops; weights use their sharpness before sharpening."""
    crops = np.stack([crop(photo, face, emotions.SIDE) for face in detections])
    weights = _weights(detections, crops)
    return View(np.stack([sharpened(face) for face in crops]), weights, is_face=True)


def _weights(detections: Sequence[Detection], crops: Crops) -> Float64Array:
    sides = np.sqrt([face.box[2] * face.box[3] for face in detections])
    scores = np.array([face.score for face in detections])
    weights = sides * scores * np.array([_sharpness(face) for face in crops])
    return np.asarray(weights / weights.sum())


def _sharpness(face: Crops) -> float:
    """Return a weight from 1/4 for a blurred crop to 1 for a sharp one."""
    return 0.25 + 0.75 * focus(face) / (focus(face) + SHARP)


def _visible(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return the part of a box that lies in the photo."""
    x, y, width, height = box
    (x0, x1), (y0, y1) = np.clip(((x, x + width), (y, y + height)), 0, 1).tolist()
    return (x0, y0, x1 - x0, y1 - y0)


def _named(row: Sequence[float]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(EMOTIONS, row, strict=True)}
