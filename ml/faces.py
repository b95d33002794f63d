"""Faces in a photo, whichever way up and however dark, and their crops for the emotion net.

YuNet (Wu et al. 2023) finds them; BlazeFace (Bazarevsky et al. 2019, the short-range model) looks
at each of them again, confirms it and says where its eyes are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.images import bgr, eight_bit, shrink
from ml.manifest import weights_file

Floats = NDArray[np.float64]

LONG_SIDE = 640
"""Photos are searched at this size; of faces of 24 pixels there three quarters are found."""

NEAR_SIDE = 960
"""Without a sure face they are searched at this size, too.

Of 80 faces in HAR of 20 pixels 49 are found, 75 at twice that size; of 16 pixels 30 and 74.
"""

LYING_SIDE = 480
"""Photos are turned at this size: there are three turns to look at, and few photos need them."""

SCORE = 0.75
"""Lowest YuNet score of a face; a wrong face costs a story more than a missed one."""

WEAK = 0.5
"""A face with a score from here on is looked at again, turned upright: tilted ones score low."""

SURE = 0.77
"""Without a face of this score the photo may be dark or lie on its side, and both are tried.

Of 120 upright faces in HAR 113 reach it, of the same faces upside down 10; of those found both
ways, the right way up has the higher score in all but one.
"""

CONFIRMED = 0.4
"""Lowest BlazeFace score of a face that YuNet found."""

TURNED = 0.7
"""Lowest score of a face in a photo turned on its side: a wrong face is likelier there."""

TILT = np.deg2rad(10)
"""A face tilted by more than this is searched again upright, which gives the better box."""

DARK = 60
"""Mean brightness (of 255) below which a photo without a sure face is brightened."""

DIM = 128
"""A face whose brightest parts are darker than this is stretched up to LIT before it is read."""

LIT = 220
"""Brightest parts of a stretched face: the median of FER-2013's."""

MOST = 30
"""Faces read in one photo, the largest first: more would not change the mood, only the wait."""

SMALL = 128
"""Side in pixels of the square that BlazeFace looks at."""


@dataclass(frozen=True)
class Detection:
    """One face: box (x, y, width, height) and landmarks (6, 2) in fractions of the photo.

    Both may lie outside of the photo where the face is cut off by its edge. Landmarks are the
    right eye, left eye, nose, mouth, right and left ear, as the person has them: where the right
    eye is to the right of the left one, the face is upside down. `score` is the geometric mean of
    the two detectors' confidences, in [0, 1].
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    score: float


@dataclass(frozen=True)
class _Place:
    """Where YuNet sees a face, in pixels: middle (2,), size (width, height), score."""

    middle: Floats
    size: Floats
    score: float

    @property
    def side(self) -> float:
        return float(np.sqrt(self.size.prod()))


def detect(photo: Image.Image) -> tuple[Detection, ...]:
    """Return the faces of a photo of any size and mode, the largest first, at most MOST.

    An upright face in good light is found at the first look. Only without a face that is SURE is
    the photo brightened if it is dark, looked at from nearer, and turned by quarters.
    """
    whole = eight_bit(photo).convert("RGB")
    small = shrink(whole, LONG_SIDE)
    found = _look(small)
    if not _is_sure(found):
        near = _near(_brightened(small) if np.asarray(small).mean() < DARK else whole)
        found += _look(near)
        turned = shrink(near, LYING_SIDE)
        for turns in (1, 2, 3) if not _is_sure(found) else ():
            turned = turned.transpose(Image.Transpose.ROTATE_90)
            lying = [face for face in _look(turned) if face.score >= TURNED]
            found += [_turned_back(face, turns) for face in lying]
    different = _different(found)
    return tuple(sorted(different, key=lambda face: -face.box[2] * face.box[3])[:MOST])


def _is_sure(found: Iterable[Detection]) -> bool:
    return any(face.score >= SURE for face in found)


def _near(photo: Image.Image) -> Image.Image:
    """Return the photo at NEAR_SIDE, but at most twice as large as it is."""
    side = min(NEAR_SIDE, 2 * max(photo.size))
    if side <= max(photo.size):
        return shrink(photo, side)
    scale = side / max(photo.size)
    size = (round(photo.width * scale), round(photo.height * scale))
    return photo.resize(size, Image.Resampling.BILINEAR)


def _look(photo: Image.Image) -> list[Detection]:
    """Return the faces that stand about upright in an RGB photo, tilted by up to 60 degrees."""
    seen = (_confirmed(photo, place) for place in _search(photo))
    return [face for face in seen if face]


@cache
def _yunet() -> cv2.FaceDetectorYN:
    cv2.setNumThreads(2)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # warns at every start
    return cv2.FaceDetectorYN.create(str(weights_file("yunet")), "", (320, 320), WEAK, 0.3, 200)


def _search(photo: Image.Image) -> list[_Place]:
    detector = _yunet()
    detector.setInputSize(photo.size)
    rows: Any = detector.detect(bgr(photo))[1]  # None for no face, which OpenCV's types deny
    if rows is None:
        return []
    boxes = rows.astype(np.float64)
    return [_Place(row[:2] + row[2:4] / 2, row[2:4], float(row[14])) for row in boxes]


def _confirmed(photo: Image.Image, place: _Place) -> Detection | None:
    """Return the face there, or None where a second look does not find one.

    YuNet's own landmarks hardly follow a tilted head: on 120 faces of HAR turned by 20 degrees
    their eyes were 18 degrees off in the median, BlazeFace's 3; turned by 45, 41 and 4.
    """
    points, confirmed = _landmarks(photo, place, 0.0)
    angle = _angle(points)
    if abs(angle) > TILT or place.score < SCORE:
        upright = _square(photo, place.middle, place.side * 2, angle, SMALL)
        again = [other for other in _search(upright) if _is_central(other)]
        if again:
            best = max(again, key=lambda other: other.score)
            scale = place.side * 2 / SMALL
            middle = place.middle + scale * _rotation(angle) @ (best.middle - SMALL / 2)
            lying = abs(np.sin(angle)) > abs(np.cos(angle))
            size = best.size[::-1] if lying else best.size
            place = _Place(middle, size * scale, max(best.score, place.score))
            points, confirmed = _landmarks(photo, place, angle)
    if place.score < SCORE or confirmed < CONFIRMED:
        return None
    frame = np.array(photo.size)
    x, y = ((place.middle - place.size / 2) / frame).tolist()
    width, height = (place.size / frame).tolist()
    landmarks = tuple((float(px), float(py)) for px, py in points / frame)
    return Detection((x, y, width, height), landmarks, float(np.sqrt(place.score * confirmed)))


def _is_central(place: _Place) -> bool:
    """Say whether it is the face that a square of SMALL pixels was cut out for."""
    return bool(np.abs(place.middle - SMALL / 2).max() < SMALL / 6)


@cache
def _blazeface() -> tuple[cv2.dnn.Net, Floats]:
    """Return the network and its anchors (896, 2): two in each eighth, six in each sixteenth."""
    # OpenCV's new engine keeps only one of the two outputs.
    engine = cv2.dnn.ENGINE_CLASSIC
    network = cv2.dnn.readNetFromTFLite(str(weights_file("blazeface")), engine=engine)
    grids = []
    for cells, anchors in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells] + 0.5
        grids.append(np.stack([x, y], axis=-1).reshape(-1, 2).repeat(anchors, axis=0) / cells)
    return network, np.concatenate(grids)


def _landmarks(photo: Image.Image, place: _Place, angle: float) -> tuple[Floats, float]:
    """Return six landmarks in pixels and BlazeFace's score for a face tilted by about `angle`."""
    network, anchors = _blazeface()
    view = _square(photo, place.middle, place.side * 2, angle, SMALL)
    pixels = np.asarray(view, dtype=np.float32) / 127.5 - 1
    network.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None])
    offsets, logits = network.forward(["regressors", "classificators"])
    best = int(logits.argmax())
    points = offsets[0, best, 4:].reshape(6, 2) / SMALL + anchors[best] - 0.5
    turned = points @ _rotation(angle).T
    return place.middle + place.side * 2 * turned, float(1 / (1 + np.exp(-logits[0, best, 0])))


def _angle(points: Floats) -> float:
    """Return how far the eyes are turned clockwise, in radians from -pi to pi."""
    x, y = points[1] - points[0]
    return float(np.arctan2(y, x))


def _rotation(angle: float) -> Floats:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _brightened(photo: Image.Image) -> Image.Image:
    """Return a dark photo at ordinary brightness, its noise smoothed.

    Of 120 faces in HAR at 5 % light YuNet finds 24 as they are and 114 like this; BlazeFace's
    larger model finds 100 (112 brightened), with boxes in a fifth of the photos without a face.
    """
    pixels = np.asarray(photo)
    gain = 80 / max(1.0, float(pixels.mean()))
    bright = cv2.convertScaleAbs(pixels, alpha=gain)
    return Image.fromarray(cv2.GaussianBlur(bright, (0, 0), 1.0))


def _turned_back(face: Detection, turns: int) -> Detection:
    """Return a face of a photo turned left by `turns` quarters as it lies in the photo itself."""
    for _ in range(turns):
        x, y, width, height = face.box
        points = tuple((1 - py, px) for px, py in face.landmarks)
        face = replace(face, box=(1 - y - height, x, height, width), landmarks=points)
    return face


def overlap(one: Iterable[float], other: Iterable[float]) -> float:
    """Return the intersection over union of two boxes (x, y, width, height)."""
    (x0, y0, width0, height0), (x1, y1, width1, height1) = one, other
    width = min(x0 + width0, x1 + width1) - max(x0, x1)
    height = min(y0 + height0, y1 + height1) - max(y0, y1)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (width0 * height0 + width1 * height1 - shared)


def _different(found: Iterable[Detection]) -> list[Detection]:
    """Return each face once: of those in one place, the one with the highest score."""
    kept: list[Detection] = []
    for face in sorted(found, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < 0.3 for other in kept):
            kept.append(face)
    return kept


def crop(photo: Image.Image, face: Detection, side: int) -> NDArray[np.uint8]:
    """Return the face as (side, side) grey bytes, upright by the eyes, framed as FER-2013 does.

    Its middle 44 of 48 pixels are as large as YuNet's box (square root of its area) and around
    the same middle: ratio 0.99 in the median of 489 training images pasted into a grey scene,
    quartiles 9 % around it; middles 0 and 0.4 % of the side apart, quartiles 3 and 4 %. Distances
    between landmarks, BlazeFace's box and mixtures of them spread as much or more.
    """
    size = np.array(photo.size)
    x, y, width, height = face.box
    middle = np.array((x + width / 2, y + height / 2)) * size
    extent = float(np.sqrt(width * size[0] * height * size[1]))
    angle = _angle(np.array(face.landmarks[:2]) * size)
    return _lit(np.asarray(_square(eight_bit(photo), middle, extent, angle, side).convert("L")))


def _lit(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a dark face at the brightness of FER-2013's; any other as it is."""
    low, high = np.percentile(face, (1, 99))
    if high >= DIM:
        return face
    # In the deepest dark the noise would be stretched more than the face is.
    smooth = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 0.8) if high < DIM / 4 else face
    # A face that is one shade stays so: there is nothing in it but noise.
    stretched = (smooth - low) * (LIT / max(high - low, 8.0))
    return np.asarray(np.clip(stretched, 0, 255), dtype=np.uint8)


def _square(
    photo: Image.Image, middle: Floats, extent: float, angle: float, side: int
) -> Image.Image:
    """Return the square of `extent` pixels around `middle`, turned by `angle`, in `side` pixels.

    What lies outside of the photo goes on as its edge does: of 448 faces of FER-2013's validation
    part, framed as they were detected, 0.694 are read right like this, 0.683 with grey there.
    """
    reach = extent * 0.71 + 1  # half the diagonal: what the turned square can touch
    edges = (*np.floor(middle - reach), *np.ceil(middle + reach))
    left, top, right, bottom = (
        int(np.clip(edge, low, high))
        for edge, low, high in zip(
            edges,
            (0, 0, 1, 1),
            (photo.width - 1, photo.height - 1, photo.width, photo.height),
            strict=True,
        )
    )
    around = photo.crop((left, top, max(right, left + 1), max(bottom, top + 1))).convert("RGB")
    # Shrink first, or a large face is sampled in dots.
    factor = max(1, int(extent / side))
    near = around.reduce(factor)
    step = extent / side / factor * _rotation(angle)
    start = (middle - (left, top)) / factor - step @ (side / 2, side / 2)
    # OpenCV counts from the middle of the first pixel, the boxes from its edge.
    matrix = np.column_stack([step, start + step @ (0.5, 0.5) - 0.5])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(
        np.asarray(near), matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return Image.fromarray(pixels)
