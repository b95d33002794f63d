"""Calibrated emotions and the mood of captions by the shipped network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.calibration import softmax
from ml.caption.labels import FINE, TO_SEVEN
from ml.caption.network import Outputs, run
from ml.caption.text import readable
from ml.labels import EMOTIONS
from ml.manifest import entry
from ml.mood import MUSIC_SD, Gaussian
from ml.types import Float64Array

# The mood of an empty caption: the centre of the plane, with its full width.
NOTHING = Gaussian(np.array([0.5, 0.5]), np.eye(2) * 0.5**2)
EVEN = dict.fromkeys(EMOTIONS, 1 / len(EMOTIONS))


@dataclass(frozen=True)
class CaptionReading:
    """The emotions and mood of one caption.

    `probabilities` of the seven emotions are calibrated and sum to one; `mood` is a Gaussian over
    valence and energy in [0, 1].
    """

    probabilities: dict[str, float]
    mood: Gaussian


def predict(captions: Sequence[str]) -> Float64Array:
    """Return (n, 7) probabilities in the order of EMOTIONS for n captions."""
    return np.asarray(fine_of(run(captions)) @ TO_SEVEN)


def fine_of(said: Outputs) -> Float64Array:
    """Return (n, 28) probabilities in the order of FINE."""
    return softmax(said.emotion, entry("caption")["temperature"])


def sentiment_of(said: Outputs) -> Float64Array:
    """Return (n, 3) probabilities of negative, neutral and positive."""
    return softmax(said.sentiment)


def moods_of(said: Outputs, captions: Sequence[str]) -> list[Gaussian]:
    """Return the moods, their covariances scaled as measured on held-out captions.

    "Berlin, 2019" is in the middle of the plane for certain, but tells nothing of the mood: the
    more neutral, the wider, up to the width of music. An empty caption's is as wide as the plane.
    """
    means, covariances = gaussians(said.mood)
    scales = np.array(entry("caption")["spread"])
    neutral = fine_of(said)[:, FINE.index("neutral")]
    wide = covariances * np.sqrt(np.outer(scales, scales))
    wide += neutral[:, None, None] * np.diag(np.square(MUSIC_SD))
    return [
        NOTHING if is_empty(caption) else Gaussian(mean, covariance)
        for caption, mean, covariance in zip(captions, means, wide, strict=True)
    ]


def gaussians(mood: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the means (n, 2) and covariances (n, 2, 2) that (n, 5) numbers stand for."""
    sd = np.exp(np.clip(mood[:, 2:4], *LOG_SD))
    cross = MOST_CORRELATION * np.tanh(mood[:, 4]) * sd[:, 0] * sd[:, 1]
    vv, ee = np.square(sd).T
    covariances = np.stack([vv, cross, cross, ee], axis=-1).reshape(-1, 2, 2)
    return 1 / (1 + np.exp(-mood[:, :2])), covariances


LOG_SD = (-3.5, 0.0)
MOST_CORRELATION = 0.95


def read(captions: Sequence[str]) -> tuple[CaptionReading, ...]:
    """Return a reading of each caption.

    An empty caption has uniform probabilities and a mood as wide as the plane.
    """
    said = run(captions)
    seven = fine_of(said) @ TO_SEVEN
    return tuple(
        CaptionReading(EVEN if is_empty(caption) else _named(row), mood)
        for caption, row, mood in zip(captions, seven, moods_of(said, captions), strict=True)
    )


def _named(row: Float64Array) -> dict[str, float]:
    return {name: float(p) for name, p in zip(EMOTIONS, row, strict=True)}


def is_empty(caption: str) -> bool:
    """Return whether a caption has no readable text."""
    return not readable(caption)
