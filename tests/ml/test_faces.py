"""Faces: none in a drawing, none in noise, and crops that are upright and well framed."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ml.detection import matches, overlap
from ml.faces import FRAME, Detection, crop, detect


def drawing(width: int = 800, height: int = 600) -> Image.Image:
    picture = Image.new("RGB", (width, height), (120, 170, 220))
    ImageDraw.Draw(picture).rectangle((0, height // 2, width, height), fill=(60, 120, 50))
    return picture


@pytest.mark.parametrize("size", [(800, 600), (3000, 1500), (33, 900), (2, 2)])
def test_landscape_has_no_face(size: tuple[int, int]) -> None:
    assert detect(drawing(*size)) == ()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_any_colour_mode_is_read(mode: str) -> None:
    assert detect(drawing().convert(mode)) == ()


def marked(angle: float) -> tuple[Image.Image, Detection]:
    """A photo with a white dot at each eye of a face turned by `angle` degrees."""
    photo = Image.new("L", (400, 300), 40)
    turn = np.deg2rad(angle)
    right, left = np.array((-20, -16)), np.array((20, -16))
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    eyes = [rotation @ eye + (200, 150) for eye in (right, left)]
    for x, y in eyes:
        ImageDraw.Draw(photo).ellipse((x - 4, y - 4, x + 4, y + 4), fill=255)
    points = tuple((float(x / 400), float(y / 300)) for x, y in eyes)
    return photo, Detection((150 / 400, 100 / 300, 100 / 400, 100 / 300), points, 0.9)


@pytest.mark.parametrize("angle", [0, 25, -40])
def test_turned_face_is_cropped_upright(angle: float) -> None:
    photo, face = marked(angle)
    view = crop(photo, face, 44).astype(float)
    scale = 44 / (100 * FRAME)
    for x in (-20, 20):
        row, column = round(22 - 16 * scale), round(22 + x * scale)
        assert view[row, column] > 200
    assert view[36, 22] < 60


def test_face_over_the_edge_is_cropped_all_the_same() -> None:
    face = Detection((-0.1, -0.1, 0.3, 0.4), ((0.0, 0.05), (0.1, 0.05)), 0.9)
    assert crop(drawing(), face, 44).shape == (44, 44)


def test_overlap_of_equal_and_of_distant_boxes() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (5, 5, 2, 2)) == 0


def test_two_found_boxes_match_one_marked_face_once() -> None:
    assert matches([(0, 0, 10, 10), (1, 0, 10, 10)], [(0, 0, 10, 10)]) == 1
