"""Draw people who don't exist: a head with one of seven expressions, and what they hold."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SKINS: tuple[Colour, ...] = ((246, 214, 186), (226, 178, 140), (176, 122, 84), (112, 74, 52))
_HAIRS: tuple[Colour, ...] = ((36, 28, 26), (92, 58, 34), (186, 138, 72), (150, 150, 154))
_CLOTHES: tuple[Colour, ...] = ((196, 76, 64), (52, 96, 160), (232, 178, 64), (70, 130, 108))
_INK, _LIGHT, _LIPS = (34, 30, 34), (244, 244, 242), (126, 40, 46)


@dataclass(frozen=True)
class Expression:
    """How the brows lean inwards, how open the eyes are, the mouth's curve and how open it is."""

    lean: float
    eyes: float
    curve: float
    mouth: float


EXPRESSIONS = {
    "angry": Expression(0.9, 0.75, -0.55, 0.0),
    "disgust": Expression(0.5, 0.5, -0.8, 0.12),
    "fear": Expression(-0.7, 1.35, -0.35, 0.4),
    "happy": Expression(-0.1, 0.85, 1.0, 0.35),
    "neutral": Expression(0.0, 1.0, 0.0, 0.0),
    "sad": Expression(-0.9, 0.7, -0.8, 0.0),
    "surprise": Expression(-0.35, 1.5, 0.0, 0.9),
}


@dataclass(frozen=True)
class Pen:
    """Draws around a face's middle (x, y), in units of half the face's width."""

    pen: ImageDraw.ImageDraw
    x: float
    y: float
    unit: float

    def ellipse(self, box: Sequence[float], fill: Colour) -> None:
        self.pen.ellipse(self._points(box), fill=fill)

    def rectangle(self, box: Sequence[float], fill: Colour, rounded: float = 0.0) -> None:
        self.pen.rounded_rectangle(self._points(box), radius=rounded * self.unit, fill=fill)

    def chord(self, box: Sequence[float], fill: Colour) -> None:
        """The upper part of an ellipse."""
        self.pen.chord(self._points(box), 195, 345, fill=fill)

    def arc(self, box: Sequence[float], fill: Colour, start: int, end: int) -> None:
        self.pen.arc(self._points(box), start, end, fill=fill, width=round(0.14 * self.unit))

    def line(self, points: Sequence[float], fill: Colour, width: float = 0.09) -> None:
        self.pen.line(self._points(points), fill=fill, width=round(width * self.unit))

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        self.pen.polygon(self._points([n for point in points for n in point]), fill=fill)

    def _points(self, numbers: Sequence[float]) -> list[float]:
        return [
            (self.y if place % 2 else self.x) + number * self.unit
            for place, number in enumerate(numbers)
        ]


def draw_person(pen: Pen, expression: str, action: str | None, chance: random.Random) -> None:
    """Draw head and shoulders, and the object that stands for the action."""
    skin, hair, cloth = (chance.choice(colours) for colours in (_SKINS, _HAIRS, _CLOTHES))
    pen.rectangle((-1.6, 1.45, 1.6, 6.0), cloth, rounded=0.8)
    pen.rectangle((-0.35, 0.8, 0.35, 1.7), _darker(skin))
    pen.ellipse((-1.08, -1.3, 1.08, 0.6), hair)
    pen.ellipse((-0.95, -1.05, 0.95, 1.2), skin)
    pen.chord((-1.0, -1.25, 1.0, 0.2), hair)
    _face(pen, EXPRESSIONS[expression], hair)
    if action:
        _thing(pen, action)


def _face(pen: Pen, shown: Expression, hair: Colour) -> None:
    for side in (-1, 1):
        eye, high = side * 0.4, 0.15 * shown.eyes
        pupil = min(0.1, high)
        pen.ellipse((eye - 0.19, -high, eye + 0.19, high), _LIGHT)
        pen.ellipse((eye - pupil, -pupil, eye + pupil, pupil), _INK)
        brow, lean = -0.22 - high, 0.13 * shown.lean
        inner, outer = eye - side * 0.22, eye + side * 0.24
        pen.line((inner, brow + lean, outer, brow - lean), _darker(hair))
    pen.line((0, 0.1, -0.08, 0.36), (120, 80, 66), 0.05)
    _mouth(pen, shown)


def _mouth(pen: Pen, shown: Expression) -> None:
    wide = 0.24 if shown.mouth > 0.8 else 0.42
    shares = [step / 10 for step in range(-10, 11)]
    lips = [(wide * at, 0.68 + shown.curve * (0.22 * (1 - at**2) - 0.1)) for at in shares]
    if not shown.mouth:
        pen.line([number for point in lips for number in point], _LIPS)
        return
    depth = [0.36 * shown.mouth * (1 - at**2) ** 0.5 for at in shares]
    above = [0.0 if shown.curve > 0.5 else -0.31 * part for part in depth]
    upper = [(x, y + by) for (x, y), by in zip(lips, above, strict=True)]
    lower = [(x, y + by) for (x, y), by in zip(lips, depth, strict=True)]
    pen.polygon([*upper, *reversed(lower)], _LIPS)


def _thing(pen: Pen, action: str) -> None:
    match action:
        case "using_laptop":
            pen.rectangle((-1.5, 1.6, 1.5, 3.1), (150, 156, 164), rounded=0.15)
            pen.ellipse((-0.15, 2.2, 0.15, 2.5), _LIGHT)
        case "listening_to_music":
            pen.arc((-1.1, -1.45, 1.1, 0.9), _INK, 180, 360)
            pen.rectangle((-1.24, -0.35, -0.8, 0.4), _INK, rounded=0.2)
            pen.rectangle((0.8, -0.35, 1.24, 0.4), _INK, rounded=0.2)
        case "calling":
            pen.rectangle((0.8, -0.4, 1.2, 0.6), _INK, rounded=0.1)
        case "texting":
            pen.rectangle((0.5, 1.75, 1.0, 2.75), _INK, rounded=0.1)
            pen.rectangle((0.56, 1.85, 0.94, 2.55), (150, 200, 230))
        case "drinking":
            pen.arc((1.0, 1.0, 1.5, 1.5), _LIGHT, 270, 90)
            pen.rectangle((0.6, 0.85, 1.2, 1.65), _LIGHT, rounded=0.06)
        case "eating":
            pen.ellipse((0.45, 0.65, 1.35, 1.25), (206, 150, 84))
            pen.ellipse((0.6, 0.75, 1.2, 1.05), (190, 66, 58))


def _darker(colour: Colour) -> Colour:
    red, green, blue = (round(0.86 * part) for part in colour)
    return red, green, blue
