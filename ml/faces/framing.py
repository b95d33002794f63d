"""Cutting a turned square out of a photo; light for what is dark, contours for what is soft."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.arrays import Float64Array

DIM = 128
"""A face whose brightest parts are darker than this is stretched up to LIT before it is read."""

LIT = 220
"""Brightest parts of a stretched face: the median of FER-2013's."""

SOFT = 0.5
"""Focus below which a face is sharpened: five sixths of FER-2013's lie above, median 0.81.

Of 23 faces of 100 to 270 pixels in photos of 2 megapixels the median is 0.31: the network knows
sharper ones, because FER-2013 was shrunk without smoothing.
"""

SHARPENED = 1.5
"""Most of its fine detail that is added to a soft face: beyond that there is only grain."""


def rotation(angle: float) -> Float64Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def tilt(points: Float64Array) -> float:
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


def focus(face: NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian over that of the face: how fine its detail is.

    A dark face has less contrast, not less focus.
    """
    pixels = face.astype(np.float64)
    return float(cv2.Laplacian(pixels, cv2.CV_64F).var() / max(pixels.var(), 16.0))


def sharpened(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a soft face (48, 48) with the focus of an ordinary one of FER-2013, if it can have it.

    Of validation faces seen as of 24 pixels 0.6375 are read right like this, 0.6275 as they are
    (n 400, log loss 1.014 and 1.035); blurred with a standard deviation of 1.5 pixels 0.595 and
    0.5625. Sharpening those that are sharp costs a point.
    """
    # Unsharp masking by `a` times what a blur of one pixel takes away multiplies the focus of
    # faces by about (1 + 0.58 a) squared.
    amount = (np.sqrt(SOFT / max(focus(face), 1e-6)) - 1) / 0.58
    if amount <= 0:
        return face
    pixels = face.astype(np.float64)
    detail = pixels - cv2.GaussianBlur(pixels, (0, 0), 1.0)
    mended = (pixels + min(amount, SHARPENED) * detail).round()
    return np.asarray(np.clip(mended, 0, 255), dtype=np.uint8)


def square(
    photo: Image.Image, middle: Float64Array, extent: float, angle: float, side: int
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
