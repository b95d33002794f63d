"""Faces in a photo: YuNet (Wu et al. 2023) through OpenCV, and their crops for the emotion net."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.images import bgr, shrink
from ml.manifest import weights_file

LONG_SIDE = 640
"""Photos are searched at this size; a face needs about 20 pixels there."""

SCORE = 0.75
"""Lowest YuNet score of a face; a wrong face costs a story more than a missed one."""

MOST = 12
"""Faces read in one photo, the largest first: more would not change the mood, only the wait."""

FRAME = 0.89
"""Side of the emotion crop, in units of the larger side of YuNet's box.

On 561 images of FER-2013 that box is 49.6 pixels high in the median, around the image's middle;
the network looks at the middle 44.
"""


@dataclass(frozen=True)
class Detection:
    """One face: box (x, y, width, height) and landmarks (5, 2) in fractions of the photo.

    Both may lie outside of the photo where the face is cut off by its edge. Landmarks are the
    right eye, left eye, nose, right and left mouth corner, as the person has them. `score` is
    the detector's confidence in [0, 1].
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    score: float


@cache
def _detector() -> cv2.FaceDetectorYN:
    cv2.setNumThreads(2)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # warns at every start
    return cv2.FaceDetectorYN.create(str(weights_file("yunet")), "", (320, 320), SCORE, 0.3, 200)


def detect(photo: Image.Image) -> tuple[Detection, ...]:
    """Return the faces of a photo of any size and mode, the largest first, at most MOST."""
    small = shrink(photo, LONG_SIDE)
    detector = _detector()
    detector.setInputSize(small.size)
    rows: Any = detector.detect(bgr(small))[1]  # None for no face, which OpenCV's types deny
    found = [_detection(row, small.size) for row in (() if rows is None else rows)]
    found.sort(key=lambda face: face.box[2] * face.box[3], reverse=True)
    return tuple(found[:MOST])


def _detection(row: NDArray[np.float32], size: tuple[int, int]) -> Detection:
    """Return YuNet's row of 15 numbers: box, five points, score."""
    (x, y), (width, height), *points = (row[:14].reshape(7, 2) / np.array(size)).tolist()
    return Detection((x, y, width, height), tuple((px, py) for px, py in points), float(row[14]))


def crop(photo: Image.Image, face: Detection, side: int) -> NDArray[np.uint8]:
    """Return the face as (side, side) grey bytes, upright by the eyes, framed as FER-2013 does."""
    size = np.array(photo.size)
    points = np.array(face.landmarks) * size
    eyes = points[1] - points[0]
    angle = float(np.arctan2(eyes[1], eyes[0]))
    x, y, width, height = face.box
    middle = np.array((x + width / 2, y + height / 2)) * size
    extent = max(width * size[0], height * size[1]) * FRAME
    return _turned(photo, middle, extent, angle, side)


def _turned(
    photo: Image.Image, middle: NDArray[np.float64], extent: float, angle: float, side: int
) -> NDArray[np.uint8]:
    """Return the square of `extent` pixels around `middle`, turned by `angle` radians."""
    reach = extent * 0.75  # half the diagonal: what the turned square can touch
    box = (*(middle - reach), *(middle + reach))
    around = photo.crop(tuple(round(edge) for edge in box)).convert("L")
    scale = max(1.0, extent / (side * 2))  # shrink first, or a large face is sampled in dots
    near = around.resize((max(1, round(around.width / scale)),) * 2, Image.Resampling.BOX)
    step = extent / scale / side
    cos, sin = step * np.cos(angle), step * np.sin(angle)
    centre, half = near.width / 2, side / 2
    x0, y0 = centre - (cos - sin) * half, centre - (sin + cos) * half
    matrix = (cos, -sin, x0, sin, cos, y0)
    view = near.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(view)
