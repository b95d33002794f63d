"""A drawn face has even areas and hard edges; light on a photographed face changes softly."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from ml.faces.detection import Detection, _find_upright, _Place
from ml.faces.drawn import is_drawn

WHOLE = (0.0, 0.0, 1.0, 1.0)


def drawn_face(skin: tuple[int, int, int] = (240, 200, 160)) -> Image.Image:
    picture = Image.new("RGB", (200, 200), skin)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 199, 50), fill=(60, 30, 20))
    for left in (50, 120):
        draw.ellipse((left, 80, left + 30, 100), fill="white", outline="black", width=4)
        draw.ellipse((left + 10, 84, left + 22, 98), fill="black")
    draw.arc((60, 100, 140, 170), 20, 160, fill=(160, 20, 20), width=8)
    return picture


def shaded_face() -> Image.Image:
    """The same with soft light from one side, softer edges and a little noise."""
    pixels = np.asarray(drawn_face().filter(ImageFilter.GaussianBlur(6)), dtype=np.float64)
    light = np.linspace(0.5, 1.0, 200)[None, :, None] * np.linspace(1.0, 0.8, 200)[:, None, None]
    noise = np.random.default_rng(0).normal(0, 12, (200, 200, 1))
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))


def test_an_even_face_with_hard_edges_is_drawn() -> None:
    assert is_drawn(drawn_face(), WHOLE)


def test_a_softly_lit_face_is_not_drawn() -> None:
    assert not is_drawn(shaded_face(), WHOLE)


def test_only_the_face_counts_and_not_what_is_around_it() -> None:
    picture = Image.new("RGB", (600, 600), (30, 90, 200))
    picture.paste(shaded_face(), (200, 200))
    assert not is_drawn(picture, (0.38, 0.38, 0.25, 0.25))
    around = Image.effect_noise((600, 600), 60).convert("RGB")
    around.paste(drawn_face(), (200, 200))
    assert is_drawn(around, (0.38, 0.38, 0.25, 0.25))


def test_an_overexposed_face_is_not_drawn() -> None:
    assert not is_drawn(shaded_face().point(lambda value: min(255, value * 2)), WHOLE)


@pytest.mark.parametrize("light", [0.02, 0.1])
def test_of_a_dark_face_nothing_is_said(light: float) -> None:
    assert not is_drawn(drawn_face().point(lambda value: int(value * light)), WHOLE)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2)])
@pytest.mark.parametrize("box", [WHOLE, (-0.5, -0.5, 0.6, 0.6), (0.9, 0.9, 0.5, 0.5)])
def test_any_box_can_be_asked_for(
    size: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    assert not is_drawn(Image.new("RGB", size, (90, 90, 90)), box)


def test_a_drawn_face_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    face = Detection(WHOLE, ((0.3, 0.45), (0.65, 0.45)), 0.9)
    place = _Place(np.array((100.0, 100.0)), np.array((200.0, 200.0)), 0.9)
    monkeypatch.setattr("ml.faces.detection._search", lambda _photo: [place])
    monkeypatch.setattr("ml.faces.detection._confirmed", lambda *_: face)
    assert _find_upright(shaded_face()) == [face]
    assert _find_upright(drawn_face()) == []
