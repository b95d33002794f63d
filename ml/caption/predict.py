"""Calibrated emotions and the mood of captions by the shipped network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit

from ml.caption.encoder import embed
from ml.caption.irony import with_irony
from ml.caption.labels import FINE, TO_SEVEN
from ml.caption.pool import pooled
from ml.caption.text import Hashes, readable
from ml.caption.words import padded, read_words
from ml.labels import EMOTIONS
from ml.manifest import entry, model_file
from ml.mood import EMOTION_SD, MUSIC_SD, Gaussian, mixture
from ml.networks import compiled
from ml.types import Float64Array

# The mood of an empty caption: the centre of the plane, with its full width.
NOTHING = Gaussian(np.array([0.5, 0.5]), np.eye(2) * 0.5**2)


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
    return np.asarray(predict_fine(captions) @ TO_SEVEN)


def predict_fine(captions: Sequence[str]) -> Float64Array:
    """Return (n, 28) probabilities in the order of FINE for n captions."""
    return fine_of(predict_logits(captions))


def predict_logits(captions: Sequence[str]) -> Float64Array:
    """Return (n, 58) logits: sentence (28), words (28), irony, trust in the words."""
    words = padded([read_words(caption, known_words()) for caption in captions])
    return np.asarray(compiled("caption")(embed(captions), words), dtype=np.float64)


def fine_of(logits: Float64Array, pool: Sequence[float] | None = None) -> Float64Array:
    """Return (n, 28) probabilities from the logits of `predict_logits`, pooled by its weights."""
    sentence, words = logits[:, : len(FINE)], logits[:, len(FINE) : 2 * len(FINE)]
    return pooled(sentence, words, pool or entry("caption")["pool"], expit(logits[:, -1]))


def moods_of(logits: Float64Array) -> list[Gaussian]:
    """Return the moods for the logits of `predict_logits`, with irony taken into account."""
    ironic = expit(logits[:, -2])
    return [
        with_irony(mood_of(fine), float(doubt))
        for fine, doubt in zip(fine_of(logits), ironic, strict=True)
    ]


@cache
def known_words() -> Hashes:
    """Return the sorted hashes of the words that the network knows."""
    return np.asarray(np.load(model_file("caption", "words")), dtype=np.uint32)


def read(captions: Sequence[str]) -> tuple[CaptionReading, ...]:
    """Return a reading of each caption.

    An empty caption has uniform probabilities and a mood as wide as the plane.
    """
    logits = predict_logits(captions)
    seven = fine_of(logits) @ TO_SEVEN
    return tuple(
        _nothing() if is_empty(caption) else CaptionReading(_named(row), mood)
        for caption, row, mood in zip(captions, seven, moods_of(logits), strict=True)
    )


def _named(row: Float64Array) -> dict[str, float]:
    return {name: float(p) for name, p in zip(EMOTIONS, row, strict=True)}


def mood_of(fine: Float64Array) -> Gaussian:
    """Return the mood of (28,) probabilities: the moments of the mixture over anchors.

    Neutral carries no information, so it is as wide as the distribution of music.
    """
    shares = {name: float(p) for name, p in zip(FINE, fine, strict=True)}
    mood = mixture(shares, entry("caption")["anchors"], EMOTION_SD)
    wider = np.diag(np.square(MUSIC_SD) - np.square(EMOTION_SD))
    return Gaussian(mood.mean, mood.covariance + shares["neutral"] * wider)


def _nothing() -> CaptionReading:
    return CaptionReading(dict.fromkeys(EMOTIONS, 1 / len(EMOTIONS)), NOTHING)


def is_empty(caption: str) -> bool:
    """Return whether a caption has no readable text."""
    return not readable(caption)
