"""Measure what detection and cropping cost in accuracy, on FER-2013 faces pasted into scenes.

Faces are detected in whole scenes, and in crops like those of other data sets.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

import ml.emotion.predict as emotions
from ml.emotion.photo import emotions_of_views, read_faces, view
from ml.faces.detection import detect, overlap
from ml.types import Float64Array, Int64Array

SCENE = (640, 480)
"""Width and height of a scene in pixels."""

CONDITIONS: tuple[tuple[int, float, float], ...] = (
    *((side, 0.0, 1.0) for side in (24, 48, 96, 200)),
    *((96, angle, 1.0) for angle in (20.0, 45.0, 90.0, 180.0)),
    *((96, 0.0, light) for light in (0.2, 0.05)),
)
"""Side of the pasted image in pixels, its clockwise rotation in degrees, the light."""

CROPS: tuple[tuple[int, float], ...] = ((100, 0.0), (224, 0.25), (224, 1.0))
"""Side of the crop in pixels, and by how much of FER-2013's frame it is wider than that."""

AROUND = 12
"""Pixels, of FER-2013's 48, by which a pasted face is extended at each side."""

NOISE = 1.5
"""Standard deviation of the sensor's noise, of 255, whatever the light."""


def paste(
    face: NDArray[np.uint8], *, side: int, angle: float, light: float, seed: int
) -> Image.Image:
    """Return an RGB scene of 640x480 pixels with a (48, 48) face in it.

    The face is `side` pixels large (at most 300) and turned clockwise by `angle` degrees around
    its middle, which is where `place` says; `light` in (0, 1] multiplies the brightness of all.
    A face in a photo extends beyond FER-2013's frame, and a crop includes some of that: the face's
    edges are repeated, and only they fade into the scene.
    """
    rng = np.random.default_rng(seed)
    scene = _background(rng)
    patch = _resized(np.pad(face, AROUND, mode="edge"), side)
    fade = (patch.width - side) // 4
    mask = Image.new("L", (patch.width - 2 * fade,) * 2, 255)
    mask = ImageOps.expand(mask, fade).filter(ImageFilter.GaussianBlur(fade / 3))
    x, y = place(side, seed)
    patch, mask = (
        part.rotate(-angle, Image.Resampling.BICUBIC, expand=True) for part in (patch, mask)
    )
    corner = (round(x - patch.width / 2), round(y - patch.height / 2))
    scene.paste(patch.convert("RGB"), corner, mask)
    pixels = np.asarray(scene) * light + rng.normal(0, NOISE, (SCENE[1], SCENE[0], 3))
    return Image.fromarray(np.clip(pixels.round(), 0, 255).astype(np.uint8))


def _resized(face: NDArray[np.uint8], side: int) -> Image.Image:
    wide = round(side * len(face) / 48)
    return Image.fromarray(face).resize((wide, wide), Image.Resampling.BICUBIC)


def place(side: int, seed: int) -> tuple[float, float]:
    """Return where the middle of a pasted face lies in its scene, in pixels."""
    rng = np.random.default_rng((seed, side))
    reach = side * 0.71  # a turned face stays inside, too
    x, y = (rng.uniform(reach, length - reach) for length in SCENE)
    return float(x), float(y)


def cut(face: NDArray[np.uint8], *, side: int, margin: float, seed: int) -> Image.Image:
    """Return a crop of a scene around a (48, 48) face, like those of other data sets.

    Its frame is wider than FER-2013's by the share `margin`; at `side` pixels, or less where the
    scene ends.
    """
    large = 200
    scene = paste(face, side=large, angle=0, light=1, seed=seed)
    reach = large * (1 + margin) / 2
    x, y = place(large, seed)
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    crop = scene.crop((left, top, min(SCENE[0], round(x + reach)), min(SCENE[1], round(y + reach))))
    scale = side / (2 * reach)
    size = (round(crop.width * scale), round(crop.height * scale))
    return crop.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)


def _background(rng: np.random.Generator) -> Image.Image:
    """Return a gradient between four colours with soft and fine texture, without any contour."""

    def grown(cells: int, depth: float) -> Float64Array:
        coarse = rng.uniform(0, 255, (cells, cells, 3)).astype(np.uint8)
        smooth = Image.fromarray(coarse).resize(SCENE, Image.Resampling.BICUBIC)
        return (np.asarray(smooth, dtype=np.float64) - 127) * depth

    pixels = 127 + grown(2, 0.6) + grown(7, 0.25) + grown(60, 0.1)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def measure(
    images: NDArray[np.uint8], labels: Int64Array, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a row for each of CONDITIONS and CROPS on faces (n, 48, 48) with class numbers (n,).

    `found` is the share of scenes in which a detected face lies over the pasted one, `false` that
    of scenes with one elsewhere. `accuracy_found` and `accuracy_direct` compare the faces that
    were found, as cropped from the scene and as FER-2013 frames them; None where none was found.
    Every crop is read, whether a face was found in it or not, and nothing in it is `false`.
    """
    direct = emotions.predict(images)
    right = direct.argmax(axis=1) == labels
    names = [classes[label] for label in labels]
    scenes = [_row(images, names, right, condition) for condition in CONDITIONS]
    return scenes + [_crop_row(images, labels, right, crop) for crop in CROPS]


def _row(
    images: NDArray[np.uint8],
    labels: Sequence[str],
    direct: NDArray[np.bool_],
    condition: tuple[int, float, float],
) -> dict[str, Any]:
    side, angle, light = condition
    detected, read, elsewhere = [], [], 0
    for seed, image in enumerate(images):
        scene = paste(image, side=side, angle=angle, light=light, seed=seed)
        faces = detect(scene)
        over = [face for face in faces if _is_over(face.box, side, seed)]
        elsewhere += len(faces) > len(over)
        if over:
            best = max(over, key=lambda face: face.score)
            shown = read_faces(scene, [best])[0].probabilities
            detected.append(seed)
            read.append(max(shown, key=lambda name: shown[name]) == labels[seed])
    return {
        "condition": f"{side} px, {angle:.0f}°, light {light:g}",
        "n": len(images),
        "found": round(len(detected) / len(images), 4),
        "accuracy_found": round(float(np.mean(read)), 4) if read else None,
        "accuracy_direct": round(float(direct[detected].mean()), 4) if read else None,
        "false": round(elsewhere / len(images), 4),
    }


def _crop_row(
    images: NDArray[np.uint8],
    labels: Int64Array,
    direct: NDArray[np.bool_],
    crop: tuple[int, float],
) -> dict[str, Any]:
    side, margin = crop
    views = [
        view(cut(image, side=side, margin=margin, seed=seed)) for seed, image in enumerate(images)
    ]
    read = emotions_of_views(views).argmax(axis=1) == labels
    return {
        "condition": f"crop of {side} px, {margin:.0%} wider",
        "n": len(images),
        "found": round(float(np.mean([seen.is_face for seen in views])), 4),
        "accuracy_found": round(float(read.mean()), 4),
        "accuracy_direct": round(float(direct.mean()), 4),
        "false": "–",
    }


def _is_over(box: Sequence[float], side: int, seed: int) -> bool:
    """Return whether a box in fractions overlaps the pasted image, which may exceed the face."""
    wide, high = SCENE
    x, y = place(side, seed)
    marked = ((x - side / 2) / wide, (y - side / 2) / high, side / wide, side / high)
    return overlap(box, marked) >= 0.3
