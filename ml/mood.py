"""From tags to a mood: a point with its uncertainty in the valence x energy plane.

Every modality's probabilities become one Gaussian (the moments of the mixture over its classes).
The Gaussians are multiplied with a prior, the distribution of music itself, so that a sure tag
weighs much and an unsure one little; where modalities contradict each other the spread grows by
their disagreement, as in a random-effects meta-analysis (DerSimonian & Laird 1986).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Probabilities = Mapping[str, float]
Array = NDArray[np.float64]

# Mean pleasure and arousal of the emotion terms in Russell & Mehrabian (1977), "Evidence for a
# three-factor theory of emotions", J. Research in Personality 11, table 2, moved from [-1, 1] to
# [0, 1]. The middle of both scales stands for neutral, which the study does not list.
EMOTION_ANCHORS = {
    "angry": (0.245, 0.795),
    "disgust": (0.20, 0.675),
    "fear": (0.18, 0.80),
    "happy": (0.905, 0.755),
    "neutral": (0.50, 0.50),
    "sad": (0.185, 0.365),
    "surprise": (0.70, 0.835),
}
EMOTION_SD = (0.15, 0.15)  # that study's standard deviations lie between .2 and .4 on [-1, 1]

# Mean arousal of the words for such actions in the NRC VAD lexicon (Mohammad 2018): low: sleep,
# sit, eat, read, text ...; medium: walk, drink, call, clap ...; high: run, dance, fight, box ....
# How hard somebody moves says next to nothing of how pleasant it is, hence the wide valence.
INTENSITY_ANCHORS = {"low": (0.5, 0.29), "medium": (0.5, 0.56), "high": (0.5, 0.74)}
INTENSITY_SD = (0.5, 0.18)

# Spotify's valence and energy over 121,634 tracks of public catalogues.
MUSIC_MEAN = (0.510, 0.608)
MUSIC_SD = (0.253, 0.238)
MUSIC_CORRELATION = 0.31

POINT_SD = 0.08
"""Spread of a mood that somebody set by hand: they mean this place, give or take a thumb."""

Spread = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class MoodTarget:
    """Valence and energy in [0, 1] and their 2 x 2 covariance, in that order."""

    valence: float
    energy: float
    spread: Spread

    def to_json(self) -> dict[str, Any]:
        return {
            "valence": self.valence,
            "energy": self.energy,
            "spread": [list(row) for row in self.spread],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "MoodTarget":
        """Return the mood that `to_json` wrote; KeyError or ValueError if it is none."""
        (vv, ve), (ev, ee) = data["spread"]
        spread = ((float(vv), float(ve)), (float(ev), float(ee)))
        return cls(float(data["valence"]), float(data["energy"]), spread)


@dataclass(frozen=True)
class Gaussian:
    """Mean (2,) and covariance (2, 2) in the order valence, energy."""

    mean: Array
    covariance: Array


def _diagonal(sd: tuple[float, float], correlation: float = 0.0) -> Array:
    covariance = correlation * sd[0] * sd[1]
    return np.array([[sd[0] ** 2, covariance], [covariance, sd[1] ** 2]])


MUSIC = Gaussian(np.array(MUSIC_MEAN), _diagonal(MUSIC_SD, MUSIC_CORRELATION))


def fuse(
    *,
    emotion: Probabilities | None = None,
    intensity: Probabilities | None = None,
    caption: Probabilities | None = None,
) -> MoodTarget:
    """Return the mood that the tags speak of; without any tag, the middle of all music.

    Each argument maps class names to weights (they need not sum to one); None, empty or all
    zero means that the modality is absent. ValueError for an unknown class or a negative weight.
    """
    given = (
        (emotion, EMOTION_ANCHORS, EMOTION_SD),
        (caption, EMOTION_ANCHORS, EMOTION_SD),
        (intensity, INTENSITY_ANCHORS, INTENSITY_SD),
    )
    return combine(
        [
            mixture(shares, anchors, sd)
            for weights, anchors, sd in given
            if (shares := normalised(weights or {}, anchors))
        ]
    )


def mixture(
    shares: Probabilities,
    anchors: Mapping[str, tuple[float, float]],
    sd: tuple[float, float],
) -> Gaussian:
    """Return the Gaussian with the mean and covariance of a mixture over class anchors."""
    weights = np.array([shares[name] for name in shares])
    places = np.array([anchors[name] for name in shares])
    mean = weights @ places
    apart = places - mean
    return Gaussian(mean, (weights[:, None] * apart).T @ apart + _diagonal(sd))


def combine(modalities: Sequence[Gaussian]) -> MoodTarget:
    """Return the product of the prior and the modalities, widened by how far they disagree."""
    prior = np.linalg.inv(MUSIC.covariance)
    precisions = [np.linalg.inv(modality.covariance) for modality in modalities]
    covariance = np.linalg.inv(prior + sum(precisions, np.zeros((2, 2))))
    pulls = [p @ m.mean for p, m in zip(precisions, modalities, strict=True)]
    mean = covariance @ (prior @ MUSIC.mean + sum(pulls, np.zeros(2)))
    return _target(mean, covariance + _disagreement(modalities))


def _disagreement(modalities: Sequence[Gaussian]) -> Array:
    """Return the scatter (2, 2) of the modalities' means, each axis weighted by precision."""
    if len(modalities) < 2:
        return np.zeros((2, 2))
    means = np.array([modality.mean for modality in modalities])
    weights = 1 / np.array([modality.covariance.diagonal() for modality in modalities])
    weights /= weights.sum(axis=0)
    apart = np.sqrt(weights) * (means - (weights * means).sum(axis=0))
    return np.asarray(apart.T @ apart)


def _target(mean: Array, covariance: Array) -> MoodTarget:
    valence, energy = (float(value) for value in np.clip(mean, 0.0, 1.0))
    cross = float(covariance[0, 1] + covariance[1, 0]) / 2
    spread = ((float(covariance[0, 0]), cross), (cross, float(covariance[1, 1])))
    return MoodTarget(valence, energy, spread)


def point(valence: float, energy: float) -> MoodTarget:
    """Return the mood that somebody set by hand; ValueError outside [0, 1]."""
    if not (0 <= valence <= 1 and 0 <= energy <= 1):
        raise ValueError("valence and energy lie between 0 and 1")
    variance = POINT_SD**2
    return MoodTarget(float(valence), float(energy), ((variance, 0.0), (0.0, variance)))


def normalised(weights: Probabilities, known: Iterable[str]) -> dict[str, float]:
    """Return the weights divided by their sum, without the zeros; empty if all are zero."""
    if unknown := sorted(set(weights) - set(known)):
        raise ValueError(f"unknown classes: {', '.join(unknown)}")
    if not all(0 <= weight < float("inf") for weight in weights.values()):
        raise ValueError("probabilities are finite and not negative")
    total = sum(weights.values())
    return (
        {name: w / total for name, w in sorted(weights.items()) if w / total > 0} if total else {}
    )
