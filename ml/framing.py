"""Cutting a turned square out of a photo, and light for what is dark in it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

DIM = 128
"""A face whose brightest parts are darker than this is stretched up to LIT before it is read."""

LIT = 220
"""Brightest parts of a stretched face: the median of FER-2013's."""


def rotation(angle: float) -> Floats:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def tilt(points: Floats) -> float:
    """Return how far the eyes are turned clockwise, in radians from -pi to pi."""
    x, y = points[1] - points[0]
    return float(np.arctan2(y, x))


def lit(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a dark face at the brightness of FER-2013's; any other as it is."""
    low, high = np.percentile(face, (1, 99))
    if high >= DIM:
        return face
    # In the deepest dark the noise would be stretched more than the face is.
    smooth = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 0.8) if high < DIM / 4 else face
    # A face that is one shade stays so: there is nothing in it but noise.
    stretched = (smooth - low) * (LIT / max(high - low, 8.0))
    return np.asarray(np.clip(stretched, 0, 255), dtype=np.uint8)


def square(
    photo: Image.Image, middle: Floats, extent: float, angle: float, side: int
) -> Image.Image:
    """Return the square of `extent` pixels around `middle`, turned by `angle`, in `side` pixels.

    What lies outside of the photo goes on as its edge does: of 448 faces of FER-2013's validation
    part, framed as they were detected, 0.694 are read right like this, 0.683 with grey there.
    """
    reach = extent * 0.71 + 1  # half the diagonal: what the turned square can touch
    size = np.array(photo.size)
    start = np.clip(np.floor(middle - reach), 0, size - 1).astype(int)
    end = np.clip(np.ceil(middle + reach), start + 1, size).astype(int)
    around = photo.crop((*start.tolist(), *end.tolist())).convert("RGB")
    # Shrink first, or a large face is sampled in dots.
    factor = max(1, int(extent / side))
    near = around.reduce(factor)
    step = extent / side / factor * rotation(angle)
    # OpenCV counts from the middle of the first pixel, boxes from its edge: half a pixel each.
    offset = (middle - start) / factor - step @ ((side - 1) / 2, (side - 1) / 2) - 0.5
    matrix = np.column_stack([step, offset])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(
        np.asarray(near), matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return Image.fromarray(pixels)
