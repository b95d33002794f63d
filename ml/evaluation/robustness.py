"""Measure the accuracy on blurred, noisy, dark, rotated and covered faces."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ml.training.emotion.data import compressed
from ml.types import Float64Array, Int64Array

Faces = NDArray[np.uint8]
"""Grey faces framed as in FER-2013, (n, 48, 48)."""


def each(change: Callable[[Image.Image], Image.Image]) -> Callable[[Faces], Faces]:
    """Return a change of one picture as a change of all faces."""
    return lambda faces: np.stack([np.asarray(change(Image.fromarray(face))) for face in faces])


def blurred(faces: Faces) -> Faces:
    """Return the faces out of focus: a Gaussian of 1.5 pixels."""
    return each(lambda face: face.filter(ImageFilter.GaussianBlur(1.5)))(faces)


def noisy(faces: Faces) -> Faces:
    """Return the faces with Gaussian noise of 20 grey levels, the same each time."""
    grain = np.random.default_rng(0).normal(0, 20, faces.shape)
    return np.clip(faces + grain, 0, 255).astype(np.uint8)


def dark(faces: Faces) -> Faces:
    """Return faces at a fifth of the light, with sensor noise."""
    grain = np.random.default_rng(0).normal(0, 3, faces.shape)
    return np.clip(faces * 0.2 + grain, 0, 255).astype(np.uint8)


def turned(degrees: float) -> Callable[[Faces], Faces]:
    """Return a change that turns faces counterclockwise; the corners become grey."""
    return each(lambda face: face.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=128))


def coarse(side: int) -> Callable[[Faces], Faces]:
    """Return a change that downscales faces to `side` pixels and enlarges them, as a crop does."""

    def small(face: Image.Image) -> Image.Image:
        return face.resize((side, side), Image.Resampling.BOX).resize(
            face.size, Image.Resampling.BILINEAR
        )

    return each(small)


def covered(top: int, bottom: int) -> Callable[[Faces], Faces]:
    """Return a change that blackens rows of the face, like a mask or dark glasses."""

    def cover(faces: Faces) -> Faces:
        changed = faces.copy()
        changed[:, top:bottom, 6:42] = 0
        return changed

    return cover


CHANGES: Mapping[str, Callable[[Faces], Faces]] = {
    "as it is": lambda faces: faces,
    "blur, sd 1.5 px": blurred,
    "noise, sd 20": noisy,
    "JPEG quality 30": each(lambda face: compressed(face, 30)),
    "a fifth of the light": dark,
    "turned by 20°": turned(20),
    "turned by -20°": turned(-20),
    "eyes covered": covered(12, 24),
    "mouth covered": covered(32, 44),
    "24-pixel face": coarse(24),
    "16-pixel face": coarse(16),
}


def measure(
    faces: Faces, labels: Int64Array, predict: Callable[[Faces], Float64Array]
) -> list[dict[str, Any]]:
    """Return accuracy, its loss and mean confidence under each of the CHANGES."""
    rows: list[dict[str, Any]] = []
    for name, change in CHANGES.items():
        probabilities = predict(change(faces))
        accuracy = float((probabilities.argmax(axis=1) == labels).mean())
        rows.append(
            {
                "change": name,
                "n": len(labels),
                "accuracy": round(accuracy, 4),
                "cost": round((rows[0]["accuracy"] if rows else accuracy) - accuracy, 4),
                "confidence": round(float(probabilities.max(axis=1).mean()), 4),
            }
        )
    return rows
