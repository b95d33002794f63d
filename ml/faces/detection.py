"""Detect the faces of a photo in any orientation and light, and crop them for the emotion network.

YuNet (Wu et al. 2023) proposes faces; BlazeFace (Bazarevsky et al. 2019, the short-range model)
confirms each of them and locates its eyes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.faces.detectors import SMALL, blazeface, yunet
from ml.faces.drawn import is_drawn
from ml.faces.framing import lit, rotation, square, tilt
from ml.faces.panorama import Part, is_whole, parts
from ml.images import bgr, eight_bit, shrink
from ml.types import Float64Array

LONG_SIDE = 640
"""Longer side in pixels at which photos are searched."""

NEAR_SIDE = 1280
"""Longer side for a second search if the first finds no sure face.

Of 50 faces that are 24 pixels wide at a longer side of 640, 30 are found at 960 and 39 at 1280.
"""

TURNED_SIDE = 480
"""Longer side of rotated photos: there are five rotations to search, and few photos need them."""

TURNS = (90, 270, 180, 45, 315)
"""Degrees counterclockwise by which a photo without a sure face is rotated, likeliest first.

YuNet detects faces tilted by up to about 25 degrees. Faces upside down and tilted are too rare.
"""

SCORE = 0.75
"""Minimum YuNet score of a face; a false face harms a story more than a missed one."""

CONFIRMED = 0.4
"""Minimum BlazeFace score of a face that YuNet found."""

LIKELY = 0.5
"""YuNet score from which a face is searched again upright: tilted faces score low."""

UNLIKELY_PLACES = 12
"""How many places below LIKELY are looked at in one search, the highest scores first.

Textures such as stacked timber or pebbles have hundreds, at two milliseconds each. In none of the
588 photos of OASIS does the limit lose a face.
"""

WEAK = 0.2
"""YuNet score from which a face counts if the combined score of both networks is at least BOTH."""

BOTH = 0.7
"""Minimum combined score of a weak face (tilted or covered) or one found only in the larger photo.

Of 50 faces of FER-2013's validation part turned by 20 degrees, 42 reach it in the first search; of
533 pictures without a face (wallpapers, scikit-image samples, Tux Paint stamps), 2.
"""

TURNED = 0.75
"""Minimum score of a face in a rotated photo, where false faces are likelier.

Of 50 faces turned by 45 degrees, 44 reach it; of 533 pictures without a face, 2 in all rotations.
"""

SURE = 0.77
"""Score below which the photo may be dark or rotated, so both are tried.

Of 120 upright faces in HAR, 113 reach it; of the same faces upside down, 10. Of those found both
ways, the upright one scores higher in all but one.
"""

LARGE, LARGE_SCORE = 0.25, 0.77
"""Side of a face as a share of the photo's from which it needs the score LARGE_SCORE.

Animals that are taken for people fill the photo and score low; people so near score high. Of 92
animal photographs set aside for the choice 12 have a face without it and 6 with it; of 152 faces in
83 photos (HAR's training part and half of OASIS) 3 are lost.
"""

TILT = np.deg2rad(10)
"""Tilt in radians above which a face is searched again upright, which gives a better box."""

DARK = 60
"""Mean brightness (of 255) below which a photo without a sure face is brightened."""

MAX_FACES = 30
"""Faces analysed per photo, largest first: more would add time without changing the mood."""

FRAME = 48 / 44
"""Side of FER-2013's frame relative to YuNet's box, whose side is the square root of its area.

Measured on 489 training images pasted into a grey scene: the median ratio of the frame's middle 44
of 48 pixels to the box is 0.99 (quartiles ±9 %), and the centres differ by 0 and 0.4 % of the side
(quartiles 3 and 4 %). Landmark distances, BlazeFace's box and mixtures vary as much or more.
"""


@dataclass(frozen=True)
class Detection:
    """One face: box (x, y, width, height) and landmarks (6, 2) in fractions of the photo.

    Both may reach beyond the photo if its edge cuts the face off. Landmarks are the person's right
    eye, left eye, nose, mouth, right ear and left ear; with the right eye to the right of the left
    one, the face is upside down. `score` is the geometric mean of the two detectors' confidences,
    in [0, 1].
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

    An upright face in good light is found in the first search. If no face reaches SURE, the photo
    is brightened if dark, searched at a larger size, and rotated. A panorama is also searched in
    parts, which aren't rotated.
    """
    whole = eight_bit(photo).convert("RGB")
    found = _find(whole, TURNS)
    for part in parts(whole.size):
        seen = (_placed(face, part, whole.size) for face in _find(whole.crop(part), ()))
        found += [face for face in seen if is_whole(face.box, part, whole.size)]
    different = [face for face in _different(found) if not _is_doubtful(face)]
    return tuple(sorted(different, key=lambda face: -face.box[2] * face.box[3])[:MAX_FACES])


def _is_doubtful(face: Detection) -> bool:
    """Return whether a face is so large that a person's would score higher."""
    return face.score < LARGE_SCORE and face.box[2] * face.box[3] >= LARGE**2


def _find(whole: Image.Image, turns: Sequence[int]) -> list[Detection]:
    small = shrink(whole, LONG_SIDE)
    found = _find_upright(small)
    if not _is_sure(found):
        near = _near(_brightened(small) if np.asarray(small).mean() < DARK else whole)
        found += [face for face in _find_upright(near) if face.score >= BOTH]
        upright = shrink(near, TURNED_SIDE)
        for degrees in turns:
            if _is_sure(found):
                break
            found += _find_turned(upright, degrees)
    return found


def _placed(face: Detection, part: Part, size: tuple[int, int]) -> Detection:
    """Return a face of a part in the coordinates of a photo of this size."""
    left, top, right, bottom = part
    scale = np.array((right - left, bottom - top)) / size
    x, y = (np.array(face.box[:2]) * scale + np.array((left, top)) / size).tolist()
    width, height = (np.array(face.box[2:]) * scale).tolist()
    points = np.array(face.landmarks) * scale + np.array((left, top)) / size
    landmarks = tuple((float(px), float(py)) for px, py in points)
    return Detection((x, y, width, height), landmarks, face.score)


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
    """Return the faces of an RGB photo that are about upright, tilted by up to 60 degrees."""
    places = sorted(_search(photo), key=lambda place: -place.score)
    likely = sum(place.score >= LIKELY for place in places)
    seen = (_confirmed(photo, place) for place in places[: likely + UNLIKELY_PLACES])
    return [face for face in seen if face and not is_drawn(photo, face.box)]


def _search(photo: Image.Image) -> list[_Place]:
    detector = yunet(WEAK)
    detector.setInputSize(photo.size)
    rows: Any = detector.detect(bgr(photo))[1]  # None for no face, which OpenCV's types deny
    if rows is None:
        return []
    boxes = rows.astype(np.float64)
    return [_Place(row[:2] + row[2:4] / 2, row[2:4], float(row[14])) for row in boxes]


def _confirmed(photo: Image.Image, place: _Place) -> Detection | None:
    """Return the face at a place, or None if BlazeFace doesn't confirm it.

    YuNet's own landmarks hardly follow a tilted head: on 120 faces of HAR turned by 20 degrees the
    median error of the eyes' angle is 18 degrees, BlazeFace's 3; turned by 45, they are 41 and 4.
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
    """Return whether a face turned by `angle` is wider than high in the photo."""
    return bool(abs(np.sin(angle)) > abs(np.cos(angle)))


def _is_central(place: _Place) -> bool:
    """Return whether this is the face that the square of SMALL pixels was cut out for."""
    return bool(np.abs(place.middle - SMALL / 2).max() < SMALL / 6)


def _landmarks(photo: Image.Image, place: _Place, angle: float) -> tuple[Float64Array, float]:
    """Return six landmarks in pixels and BlazeFace's score for a face tilted by about `angle`."""
    network, anchors = blazeface()
    view = square(photo, place.middle, place.side * 2, angle, SMALL)
    pixels = np.asarray(view, dtype=np.float32) / 127.5 - 1
    network.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None])
    offsets, logits = network.forward(["regressors", "classificators"])
    middles = offsets[0, :, :2] / SMALL + anchors - 0.5
    # A neighbouring face may score higher: keep only anchors near the centre.
    logits[0, np.abs(middles).max(axis=1) > 0.2] = -100.0
    best = int(logits.argmax())
    points = offsets[0, best, 4:].reshape(6, 2) / SMALL + anchors[best] - 0.5
    turned = points @ rotation(angle).T
    return place.middle + place.side * 2 * turned, float(1 / (1 + np.exp(-logits[0, best, 0])))


def _brightened(photo: Image.Image) -> Image.Image:
    """Return a dark photo at ordinary brightness with its noise smoothed.

    Of 120 faces in HAR at 5 % light, YuNet finds 24 unchanged and 114 brightened. BlazeFace's
    larger model finds 100 (112 brightened), but also boxes in a fifth of photos without a face.
    """
    pixels = np.asarray(photo)
    gain = 80 / max(1.0, float(pixels.mean()))
    bright = cv2.convertScaleAbs(pixels, alpha=gain)
    return Image.fromarray(cv2.GaussianBlur(bright, (0, 0), 1.0))


def _find_turned(photo: Image.Image, degrees: int) -> list[Detection]:
    """Return the faces that are upright when the photo is rotated counterclockwise by `degrees`."""
    grey = (127, 127, 127)
    view = photo.rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=grey)
    turned = (face for face in _find_upright(view) if face.score >= TURNED)
    return [_turned_back(face, degrees, view.size, photo.size) for face in turned]


def _turned_back(
    face: Detection, degrees: int, view: tuple[int, int], photo: tuple[int, int]
) -> Detection:
    """Return a face of a rotated view in the coordinates of the original photo."""

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
    """Return the faces without overlaps: of those in one place, the one that scores highest."""
    kept: list[Detection] = []
    for face in sorted(found, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < 0.3 for other in kept):
            kept.append(face)
    return kept


def crop(photo: Image.Image, face: Detection, side: int) -> NDArray[np.uint8]:
    """Return the face as (side, side) grey bytes, eyes level, framed as in FER-2013."""
    size = np.array(photo.size)
    x, y, width, height = face.box
    middle = np.array((x + width / 2, y + height / 2)) * size
    extent = FRAME * float(np.sqrt(width * size[0] * height * size[1]))
    angle = tilt(np.array(face.landmarks[:2]) * size)
    return lit(np.asarray(square(eight_bit(photo), middle, extent, angle, side).convert("L")))
