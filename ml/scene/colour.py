"""The mood that light and colour of a photo suggest: a weak signal, treated as one.

Brightness B and saturation S of a colour affect how it feels. Over colour samples, in standardised
variables, pleasure = .69 B + .22 S and arousal = -.31 B + .60 S (Valdez & Mehrabian 1994, "Effects
of color on emotions", J. Experimental Psychology: General 123, 394-409). Brighter versions of the
same picture are also judged more positive (Lakens et al. 2013, Cognition & Emotion 27, 1225-1246).
In photos, content counts for more: thirteen global properties of the image, colour among them,
explain 6 to 20 % of the variance of valence and arousal in five sets of affective pictures (Redies
et al. 2020, Frontiers in Psychology 11:953). So the mood of a scene is hardly narrower than the
distribution of all music.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from ml.mood import MUSIC, MUSIC_SD, Gaussian
from ml.types import Float64Array, Scene

SIDE = 64
"""Side in pixels of the square that light and colour are averaged over."""

# The study's Munsell value and chroma correspond to CIELAB's lightness and chroma.
# Mean and standard deviation of a photo's average over 3,000 of HAR's training photos.
LIGHTNESS = (56.8, 16.9)
CHROMA = (13.2, 8.3)

PLEASURE = np.array((0.69, 0.22))
AROUSAL = np.array((-0.31, 0.60))

RELATION = (0.17, 0.13)
"""Correlation of pleasure and arousal with the valence and intensity of a photo's action.

Over the same 3,000 photos; `python -m ml.ablate` measures it again on test photos.
"""

LIMIT = 2.5
"""Standard deviations at which lightness and chroma are clipped."""


def scene_of(photo: Image.Image) -> Scene:
    """Return light and colour of a photo of any size, and the mood of music that fits them."""
    lightness, chroma = _averages(photo)
    light = _standard(lightness, LIGHTNESS)
    colour = _standard(chroma, CHROMA)
    return Scene(light, colour, mood_of(light, colour))


def scores(light: float, colour: float) -> Float64Array:
    """Return pleasure and arousal (2,), each with unit variance over ordinary photos."""
    weights = np.array((PLEASURE, AROUSAL))
    return np.asarray(weights @ np.array((light, colour)) / np.linalg.norm(weights, axis=1))


def mood_of(light: float, colour: float) -> Gaussian:
    """Return the distribution of music given both scores, by linear regression on each."""
    relation = np.array(RELATION)
    left = np.sqrt(1 - relation**2)
    mean = MUSIC.mean + relation * np.array(MUSIC_SD) * scores(light, colour)
    return Gaussian(mean, MUSIC.covariance * np.outer(left, left))


def mean_scene(scenes: Sequence[Scene]) -> Scene:
    """Return the scene of a video: its frames are repeated views of one scene."""
    light = float(np.mean([scene.light for scene in scenes]))
    colour = float(np.mean([scene.colour for scene in scenes]))
    return Scene(light, colour, mood_of(light, colour))


def _averages(photo: Image.Image) -> tuple[float, float]:
    small = photo.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=1).convert("RGB")
    lab = cv2.cvtColor(np.asarray(small, dtype=np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(lab[..., 0].mean()), float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def _standard(value: float, usual: tuple[float, float]) -> float:
    mean, sd = usual
    return float(np.clip((value - mean) / sd, -LIMIT, LIMIT))
