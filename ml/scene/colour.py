"""Light and colour of a photo, in standard deviations from the usual photo.

Lightness and chroma of CIELAB correspond to the brightness and saturation of which Valdez &
Mehrabian 1994 ("Effects of color on emotions", J. Experimental Psychology: General 123, 394-409)
measured how they feel. In photos content counts for more (Redies et al. 2020, Frontiers in
Psychology 11:953), so they are two of many features of `ml.scene.predict`.
"""

import cv2
import numpy as np
from PIL import Image

SIDE = 64
"""Side in pixels of the square that light and colour are averaged over."""

# Mean and standard deviation of a photo's average over 3,000 of HAR's training photos.
LIGHTNESS = (56.8, 16.9)
CHROMA = (13.2, 8.3)

LIMIT = 2.5
"""Standard deviations at which lightness and chroma are clipped."""


def light_and_colour(photo: Image.Image) -> tuple[float, float]:
    """Return light and colour of a photo of any size and mode, each within LIMIT."""
    lightness, chroma = _averages(photo)
    return _standard(lightness, LIGHTNESS), _standard(chroma, CHROMA)


def _averages(photo: Image.Image) -> tuple[float, float]:
    small = photo.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=1).convert("RGB")
    lab = cv2.cvtColor(np.asarray(small, dtype=np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(lab[..., 0].mean()), float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def _standard(value: float, usual: tuple[float, float]) -> float:
    mean, sd = usual
    return float(np.clip((value - mean) / sd, -LIMIT, LIMIT))
