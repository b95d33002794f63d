"""Faces in a photo, whichever way up and however dark, and their crops for the emotion net.

YuNet (Wu et al. 2023) finds them; BlazeFace (Bazarevsky et al. 2019, the short-range model) looks
at each of them again, confirms it and says where its eyes are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.arrays import Float64Array
from ml.faces.framing import lit, rotation, square, tilt
from ml.images import bgr, eight_bit, shrink
from ml.manifest import weights_file

LONG_SIDE = 640
"""Photos are searched at this size."""

NEAR_SIDE = 1280
"""Without a sure face they are searched at this size, too.

Of 50 faces of 24 pixels, at a longer side of 640, 30 are found at 960 and 39 at 1280.
"""

TURNED_SIDE = 480
"""Photos are turned at this size: there are five turns to look at, and few photos need them."""

TURNS = (90, 270, 180, 45, 315)
"""Degrees to the left by which a photo without a sure face is turned, the likeliest first.

YuNet sees faces that are tilted by up to about 25 degrees. Nobody stands on his head obliquely.
"""

SCORE = 0.75
"""Lowest YuNet score of a face; a wrong face costs a story more than a missed one."""

CONFIRMED = 0.4
"""Lowest BlazeFace score of a face that YuNet found."""

LIKELY = 0.5
"""A face with a YuNet score from here on is looked at again, upright: tilted ones score low."""

WEAK = 0.2
"""A face with a YuNet score from here on must convince in both networks, with a score of BOTH."""

BOTH = 0.7
"""Lowest score of a face that YuNet saw weakly, as tilted and covered ones are, or only from near.

Of 50 faces of FER-2013's validation part turned by 20 degrees 42 reach it at the first look; of
533 face-free pictures (wallpapers, samples of scikit-image, stamps of Tux Paint) 2.
"""

TURNED = 0.75
"""Lowest score of a face in a turned photo: a wrong face is likelier there, and stranger.

Of 50 faces turned by 45 degrees 44 reach it, of 533 face-free pictures 2 in all turns.
"""

SURE = 0.77
"""Without a face of this score the photo may be dark or lie on its side, and both are tried.

Of 120 upright faces in HAR 113 reach it, of the same faces upside down 10; of those found both
ways, the right way up has the higher score in all but one.
"""

TILT = np.deg2rad(10)
"""A face tilted by more than this is searched again upright, which gives the better box."""

DARK = 60
"""Mean brightness (of 255) below which a photo without a sure face is brightened."""

MAX_FACES = 30
"""Faces read in one photo, the largest first: more would not change the mood, only the wait."""

FRAME = 48 / 44
"""Side of FER-2013's frame over that of YuNet's box, the square root of its area.

The middle 44 of its 48 pixels and the box: ratio 0.99 in the median of 489 training images pasted
into a grey scene, quartiles 9 % around it; middles 0 and 0.4 % of the side apart, quartiles 3 and
4 %. Distances between landmarks, BlazeFace's box and mixtures of them spread as much or more.
"""

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

    middle: Float64Array
    size: Float64Array
    score: float

    @property
    def side(self) -> float:
        return float(np.sqrt(self.size.prod()))


def detect(photo: Image.Image) -> tuple[Detection, ...]:
    """Return the faces of a photo of any size and mode, the largest first, at most MAX_FACES.

    An upright face in good light is found at the first look. Only without a face that is SURE is
    the photo brightened if it is dark, looked at from nearer, and turned.
    """
    whole = eight_bit(photo).convert("RGB")
    small = shrink(whole, LONG_SIDE)
    found = _find_upright(small)
    if not _is_sure(found):
        near = _near(_brightened(small) if np.asarray(small).mean() < DARK else whole)
        found += [face for face in _find_upright(near) if face.score >= BOTH]
        upright = shrink(near, TURNED_SIDE)
        for degrees in TURNS:
            if _is_sure(found):
                break
            found += _find_turned(upright, degrees)
    different = _different(found)
    return tuple(sorted(different, key=lambda face: -face.box[2] * face.box[3])[:MAX_FACES])


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


def _find_upright(photo: Image.Image) -> list[Detection]:
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
    if confirmed < CONFIRMED:
        return None
    angle, first = tilt(points), place.score
    if abs(angle) > TILT or first < SCORE:
        upright = square(photo, place.middle, place.side * 2, angle, SMALL)
        again = [other for other in _search(upright) if _is_central(other)]
        if again:
            best = max(again, key=lambda other: other.score)
            scale = place.side * 2 / SMALL
            middle = place.middle + scale * rotation(angle) @ (best.middle - SMALL / 2)
            size = best.size[::-1] if _is_lying(angle) else best.size
            place = _Place(middle, size * scale, max(best.score, first))
            points, second = _landmarks(photo, place, angle)
            confirmed = float(np.sqrt(confirmed * second))
    score = float(np.sqrt(place.score * confirmed))
    clear = first >= LIKELY and place.score >= SCORE and confirmed >= CONFIRMED
    if not clear and score < BOTH:
        return None
    frame = np.array(photo.size)
    x, y = ((place.middle - place.size / 2) / frame).tolist()
    width, height = (place.size / frame).tolist()
    landmarks = tuple((float(px), float(py)) for px, py in points / frame)
    return Detection((x, y, width, height), landmarks, score)


def likeness(face: Image.Image) -> float:
    """Return BlazeFace's score in [0, 1] that an image filled by one upright face shows a face."""
    photo = eight_bit(face).convert("RGB")
    size = np.array(photo.size, dtype=np.float64)
    return _landmarks(photo, _Place(size / 2, size, 1.0), 0.0)[1]


def _is_lying(angle: float) -> bool:
    """Say whether a face turned by `angle` is wider than high as the photo lies."""
    return bool(abs(np.sin(angle)) > abs(np.cos(angle)))


def _is_central(place: _Place) -> bool:
    """Say whether it is the face that a square of SMALL pixels was cut out for."""
    return bool(np.abs(place.middle - SMALL / 2).max() < SMALL / 6)


@cache
def _blazeface() -> tuple[cv2.dnn.Net, Float64Array]:
    """Return the network and its anchors (896, 2): two in each eighth, six in each sixteenth."""
    # OpenCV's new engine keeps only one of the two outputs.
    engine = cv2.dnn.ENGINE_CLASSIC
    network = cv2.dnn.readNetFromTFLite(str(weights_file("blazeface")), engine=engine)
    grids = []
    for cells, anchors in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells] + 0.5
        grids.append(np.stack([x, y], axis=-1).reshape(-1, 2).repeat(anchors, axis=0) / cells)
    return network, np.concatenate(grids)


def _landmarks(photo: Image.Image, place: _Place, angle: float) -> tuple[Float64Array, float]:
    """Return six landmarks in pixels and BlazeFace's score for a face tilted by about `angle`."""
    network, anchors = _blazeface()
    view = square(photo, place.middle, place.side * 2, angle, SMALL)
    pixels = np.asarray(view, dtype=np.float32) / 127.5 - 1
    network.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None])
    offsets, logits = network.forward(["regressors", "classificators"])
    middles = offsets[0, :, :2] / SMALL + anchors - 0.5
    # Somebody's cheek beside this one may look more like a face, and is another face.
    logits[0, np.abs(middles).max(axis=1) > 0.2] = -100.0
    best = int(logits.argmax())
    points = offsets[0, best, 4:].reshape(6, 2) / SMALL + anchors[best] - 0.5
    turned = points @ rotation(angle).T
    return place.middle + place.side * 2 * turned, float(1 / (1 + np.exp(-logits[0, best, 0])))


def _brightened(photo: Image.Image) -> Image.Image:
    """Return a dark photo at ordinary brightness, its noise smoothed.

    Of 120 faces in HAR at 5 % light YuNet finds 24 as they are and 114 like this; BlazeFace's
    larger model finds 100 (112 brightened), with boxes in a fifth of the photos without a face.
    """
    pixels = np.asarray(photo)
    gain = 80 / max(1.0, float(pixels.mean()))
    bright = cv2.convertScaleAbs(pixels, alpha=gain)
    return Image.fromarray(cv2.GaussianBlur(bright, (0, 0), 1.0))


def _find_turned(photo: Image.Image, degrees: int) -> list[Detection]:
    """Return the faces of a photo that stand upright in it when it is turned left by `degrees`."""
    grey = (127, 127, 127)
    view = photo.rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=grey)
    turned = (face for face in _find_upright(view) if face.score >= TURNED)
    return [_turned_back(face, degrees, view.size, photo.size) for face in turned]


def _turned_back(
    face: Detection, degrees: int, view: tuple[int, int], photo: tuple[int, int]
) -> Detection:
    """Return a face of a view as it lies in the photo that was turned left to make the view."""

    def back(point: Sequence[float]) -> Float64Array:
        return (
            rotation(np.deg2rad(degrees)) @ (np.array(point) * view - middle) + np.array(photo) / 2
        )

    middle = np.array(view) / 2
    x, y, width, height = face.box
    points = np.array([back(point) for point in face.landmarks])
    size = np.array((width, height)) * view
    if _is_lying(tilt(np.array(face.landmarks) * view)) != _is_lying(tilt(points)):
        size = size[::-1]
    corner = back((x + width / 2, y + height / 2)) - size / 2
    landmarks = tuple((float(px), float(py)) for px, py in points / photo)
    left, top, wide, high = (float(value) for value in (*(corner / photo), *(size / photo)))
    return Detection((left, top, wide, high), landmarks, face.score)


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
    """Return the face as (side, side) grey bytes, upright by the eyes, framed as FER-2013 does."""
    size = np.array(photo.size)
    x, y, width, height = face.box
    middle = np.array((x + width / 2, y + height / 2)) * size
    extent = FRAME * float(np.sqrt(width * size[0] * height * size[1]))
    angle = tilt(np.array(face.landmarks[:2]) * size)
    return lit(np.asarray(square(eight_bit(photo), middle, extent, angle, side).convert("L")))
