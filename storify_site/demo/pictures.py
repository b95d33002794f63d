"""Draw scenes with people who don't exist, so that the pictures may be shown to anybody."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

from storify_site.demo.people import Colour, Pen, draw_person

Box = tuple[float, float, float, float]

SIZE = 960, 720
# Drawn twice as large and made smaller, which smooths the edges.
_WIDE, _HIGH = 2 * SIZE[0], 2 * SIZE[1]
_HORIZON = 0.78 * _HIGH


@dataclass(frozen=True)
class Light:
    """The colours of a place: the sky or the wall from top to bottom, and the ground."""

    above: Colour
    below: Colour
    ground: Colour


LIGHTS = {
    "day": Light((122, 182, 232), (222, 238, 246), (112, 156, 92)),
    "dusk": Light((58, 52, 104), (240, 150, 110), (74, 66, 84)),
    "night": Light((12, 16, 40), (44, 52, 92), (22, 30, 44)),
    "grey": Light((150, 158, 166), (206, 210, 212), (112, 122, 112)),
    "room": Light((226, 208, 186), (240, 228, 212), (150, 112, 84)),
}


@dataclass(frozen=True)
class Scene:
    """What a picture shows: the light, an expression per person, and what the first one does."""

    light: str
    expressions: tuple[str, ...]
    action: str | None = None
    seed: int = 0


def draw(scene: Scene) -> tuple[Image.Image, list[Box]]:
    """Draw a scene; return it with the box of each face in shares of the picture's sides."""
    chance = random.Random(scene.seed)
    picture = _background(scene.light, chance)
    boxes = []
    for place, expression in enumerate(scene.expressions, start=1):
        pen = _place(ImageDraw.Draw(picture), place / (len(scene.expressions) + 1), chance)
        draw_person(pen, expression, scene.action if place == 1 else None, chance)
        boxes.append(_box(pen))
    return picture.resize(SIZE, Image.Resampling.BOX), boxes


def _place(pen: ImageDraw.ImageDraw, across: float, chance: random.Random) -> Pen:
    x = _WIDE * (across + chance.uniform(-0.02, 0.02))
    return Pen(pen, x, _HIGH * chance.uniform(0.41, 0.47), _HIGH * chance.uniform(0.13, 0.16))


def _box(pen: Pen) -> Box:
    left, top = (pen.x - pen.unit) / _WIDE, (pen.y - 1.2 * pen.unit) / _HIGH
    sides = left, top, 2 * pen.unit / _WIDE, 2.4 * pen.unit / _HIGH
    x, y, wide, high = (round(side, 4) for side in sides)
    return x, y, wide, high


def _background(name: str, chance: random.Random) -> Image.Image:
    light = LIGHTS[name]
    strip = Image.new("RGB", (1, 64))
    for row in range(64):
        strip.putpixel((0, row), _between(light.above, light.below, row / 63))
    picture = strip.resize((_WIDE, _HIGH), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    if name == "room":
        _walls(pen)
    else:
        _sky(pen, name, chance)
    pen.rectangle((0, _HORIZON, _WIDE, _HIGH), fill=light.ground)
    return picture


def _walls(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((120, 140, 640, 640), fill=(170, 208, 232), outline=(250, 246, 240), width=24)
    pen.line((380, 140, 380, 640), fill=(250, 246, 240), width=16)
    pen.rectangle((1420, 190, 1760, 530), fill=(120, 140, 120), outline=(96, 72, 52), width=22)


def _sky(pen: ImageDraw.ImageDraw, name: str, chance: random.Random) -> None:
    x, y = chance.uniform(0.1, 0.9) * _WIDE, chance.uniform(0.1, 0.25) * _HIGH
    if name != "grey":
        glow = (236, 236, 224) if name == "night" else (255, 232, 170)
        pen.ellipse((x - 96, y - 96, x + 96, y + 96), fill=glow)
    light = LIGHTS[name]
    for distance in (0.6, 0.3):
        top, wave = _HORIZON - 360 * distance, chance.uniform(0, 6)
        hills = [(at, top - 72 * math.sin(at / 240 + wave)) for at in range(0, _WIDE + 40, 40)]
        colour = _between(light.ground, light.below, distance)
        pen.polygon([*hills, (_WIDE, _HIGH), (0, _HIGH)], fill=colour)


def _between(start: Colour, end: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(start, end, strict=True))
    return red, green, blue
