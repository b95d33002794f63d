"""Calibrated emotions and the mood of captions by the shipped head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.calibration import Floats, softmax
from ml.caption.encoder import clean, embed
from ml.labels import EMOTIONS
from ml.manifest import entry
from ml.mood import EMOTION_ANCHORS, EMOTION_SD, Gaussian, mixture
from ml.networks import network

# A caption that says nothing: the middle of the plane, and wider than the plane itself.
NOTHING = Gaussian(np.array([0.5, 0.5]), np.eye(2) * 0.5**2)


@dataclass(frozen=True)
class CaptionReading:
    """What one caption says: calibrated probabilities of the seven emotions, which sum to one,
    and valence and energy in [0, 1] as a Gaussian."""

    probabilities: dict[str, float]
    mood: Gaussian


def predict(captions: Sequence[str]) -> Floats:
    """Return (n, 7) probabilities in the order of EMOTIONS for n captions that are not empty."""
    logits = np.asarray(network("caption")(embed(captions), training=False), dtype=np.float64)
    return softmax(logits, entry("caption")["temperature"])


def read(captions: Sequence[str]) -> tuple[CaptionReading, ...]:
    """Return a reading of each caption; of an empty one even probabilities and a mood as wide as
    the plane."""
    return tuple(
        _nothing() if is_empty(caption) else _reading(row)
        for caption, row in zip(captions, predict(captions), strict=True)
    )


def _reading(row: Floats) -> CaptionReading:
    probabilities = {name: float(p) for name, p in zip(EMOTIONS, row, strict=True)}
    return CaptionReading(probabilities, mixture(probabilities, EMOTION_ANCHORS, EMOTION_SD))


def _nothing() -> CaptionReading:
    return CaptionReading(dict.fromkeys(EMOTIONS, 1 / len(EMOTIONS)), NOTHING)


def is_empty(caption: str) -> bool:
    """Return whether a caption says nothing: nothing but blanks and control characters."""
    return not clean(caption)
