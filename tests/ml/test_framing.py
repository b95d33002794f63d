"""Face crops: soft ones are sharpened, sharp ones are unchanged, in any light."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml.faces.framing import SOFT, focus, sharpened, square


def face(blur: float, light: float = 1.0) -> NDArray[np.uint8]:
    """Soft blotches the size of a nose, with fine grain."""
    rng = np.random.default_rng(4)
    blotches = cv2.GaussianBlur(rng.normal(0, 1, (44, 44)), (0, 0), 3.0)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (44, 44)), (0, 0), 0.5)
    pixels = 110 + 40 * blotches / blotches.std() + 12 * grain / grain.std()
    if blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    return np.asarray(np.clip(pixels * light, 0, 255), dtype=np.uint8)


def test_sharp_face_stays_as_it_is() -> None:
    grain = np.random.default_rng(1).integers(0, 256, (44, 44)).astype(np.uint8)
    assert focus(grain) > SOFT
    assert (sharpened(grain) == grain).all()


@pytest.mark.parametrize("blur", [0.6, 1.0, 2.0])
def test_soft_face_gets_sharper_but_not_sharper_than_an_ordinary_one(blur: float) -> None:
    soft = face(blur)
    assert 1.2 * focus(soft) < focus(sharpened(soft)) < 1.3 * SOFT


def test_focus_is_the_same_in_less_light() -> None:
    assert focus(face(0.6, light=0.5)) == pytest.approx(focus(face(0.6)), rel=0.15)


def test_face_of_one_shade_has_no_focus_and_stays() -> None:
    plain = np.full((44, 44), 90, np.uint8)
    assert focus(plain) == 0
    assert (sharpened(plain) == plain).all()


def test_square_takes_what_is_there_and_no_more() -> None:
    photo = Image.new("RGB", (100, 80), (10, 10, 10))
    photo.paste((200, 200, 200), (40, 30, 60, 50))
    inside = np.asarray(square(photo, np.array((50.0, 40.0)), 20.0, 0.0, 10))
    assert (inside == 200).all()
    twice = np.asarray(square(photo, np.array((50.0, 40.0)), 40.0, 0.0, 40))
    assert (twice > 100).all(axis=-1).sum() == 400
