"""One clean colour for a mood: hue by direction, fullness by distance and certainty.

Hues are interpolated around the circle in OKLCH (Björn Ottosson, 2020), which is perceptually
uniform; mixing the corners' colours would give greys and olives.
"""

from __future__ import annotations

import math

from ml.mood import MUSIC_MEAN, MUSIC_SD
from recommender.engine.mood_words import HIGH

# The hues of the corners: sad, calm, energetic and happy, tense, and around to sad again.
_HUES = (265.0, 165.0, 82.0, 27.0, 265.0 - 360.0)
_LIGHTNESS, _FULL = 0.70, 0.15
# The middle of all music is grey; from so many of its standard deviations on, the colour is full.
_FULL_AT = 1.2


def mood_colour(valence: float, energy: float, share: float = 1.0) -> str:
    """The colour as #rrggbb; `share` is how much of the mood lies on the side that it names."""
    x, y = (valence - MUSIC_MEAN[0]) / MUSIC_SD[0], (energy - MUSIC_MEAN[1]) / MUSIC_SD[1]
    sureness = min(1.0, max(0.0, (share - 0.5) / (HIGH - 0.5)))
    chroma = _FULL * min(1.0, math.hypot(x, y) / _FULL_AT) * sureness
    hue = math.radians(_hue(math.degrees(math.atan2(y, x))))
    return _hex(_LIGHTNESS, chroma * math.cos(hue), chroma * math.sin(hue))


def _hue(direction: float) -> float:
    """Interpolate between the two nearest corners; `direction` 0 is pleasant, 90 energetic."""
    corner, part = divmod((direction + 135.0) % 360.0 / 90.0, 1.0)
    start, end = _HUES[int(corner)], _HUES[int(corner) + 1]
    return start + (end - start) * part


def _hex(lightness: float, a: float, b: float) -> str:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return "#" + "".join(f"{_channel(light):02x}" for light in (red, green, blue))


def _channel(light: float) -> int:
    light = min(1.0, max(0.0, light))
    encoded = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return round(255 * encoded)
