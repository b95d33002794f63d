"""The valence x energy plane: moods with their uncertainty, and what each modality states.

Every modality is one Gaussian: faces and the caption are mixtures of emotions, the activity is a
mixture of actions and intensities, the scene is what people would say of the whole photo.
`ml.mood.fusion` makes one mood of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from ml.labels import ACTION_INTENSITY, ACTIONS, INTENSITIES

Probabilities = Mapping[str, float]

# Mean pleasure and arousal of the emotion terms in Russell & Mehrabian (1977), "Evidence for a
# three-factor theory of emotions", J. Research in Personality 11, table 2, moved from [-1, 1] to
# [0, 1]. Neutral, which the study doesn't list, is the middle of both scales.
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
INTENSITY_ENERGY = {"low": 0.29, "medium": 0.56, "high": 0.74}
INTENSITY_SD = 0.18

# Valence of the word in the same lexicon, or of the nearest one: cycle, hug, music, text, laptop.
# Wide, because a word isn't the scene: people run in joy and in fear.
ACTION_VALENCE = {
    "calling": 0.646,
    "clapping": 0.823,
    "cycling": 0.635,
    "dancing": 0.885,
    "drinking": 0.562,
    "eating": 0.847,
    "fighting": 0.292,
    "hugging": 0.908,
    "laughing": 0.906,
    "listening_to_music": 0.833,
    "running": 0.730,
    "sitting": 0.561,
    "sleeping": 0.704,
    "texting": 0.604,
    "using_laptop": 0.724,
}
ACTION_VALENCE_SD = 0.25

# The prediction of an uninformed modality: uniform classes, intensities as frequent as in ACTIONS.
ANY_EMOTION = dict.fromkeys(EMOTION_ANCHORS, 1 / len(EMOTION_ANCHORS))
ANY_ACTION = dict.fromkeys(ACTIONS, 1 / len(ACTIONS))
ANY_INTENSITY = {
    level: sum(ACTION_INTENSITY[name] == level for name in ACTIONS) / len(ACTIONS)
    for level in INTENSITIES
}

# Spotify's valence and energy over 121,634 tracks of public catalogues.
MUSIC_MEAN = (0.510, 0.608)
MUSIC_SD = (0.253, 0.238)
MUSIC_CORRELATION = 0.31

POINT_SD = 0.08
"""Standard deviation of a mood set by hand, about the width of a thumb on the plane."""

Spread = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class MoodTarget:
    """Valence and energy in [0, 1] and their 2 x 2 covariance, in that order."""

    valence: float
    energy: float
    spread: Spread

    @property
    def gaussian(self) -> "Gaussian":
        """The same as arrays."""
        return Gaussian(
            np.array([self.valence, self.energy], float), np.array(self.spread, float).reshape(2, 2)
        )

    def to_json(self) -> dict[str, Any]:
        """The mood as JSON types, by the names of its fields."""
        return {
            "valence": self.valence,
            "energy": self.energy,
            "spread": [list(row) for row in self.spread],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "MoodTarget":
        """Return the mood that `to_json` wrote; raise KeyError or ValueError if malformed."""
        (vv, ve), (ev, ee) = data["spread"]
        spread = ((float(vv), float(ve)), (float(ev), float(ee)))
        return cls(float(data["valence"]), float(data["energy"]), spread)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean (2,) and covariance (2, 2) in the order valence, energy."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """The mean and the covariance as lists."""
        return {"mean": self.mean.tolist(), "covariance": self.covariance.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Gaussian":
        """Return the Gaussian that `to_json` wrote; raise KeyError if malformed."""
        return cls(np.array(data["mean"], float), np.array(data["covariance"], float))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gaussian) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.mean.tobytes(), self.covariance.tobytes()))


Statement = tuple[Gaussian, Gaussian]
"""The Gaussian of a modality, and that of the same modality without information."""


def _diagonal(sd: tuple[float, float], correlation: float = 0.0) -> NDArray[np.float64]:
    covariance = correlation * sd[0] * sd[1]
    return np.array([[sd[0] ** 2, covariance], [covariance, sd[1] ** 2]])


MUSIC = Gaussian(np.array(MUSIC_MEAN), _diagonal(MUSIC_SD, MUSIC_CORRELATION))

PHOTOS = Gaussian(np.array(MUSIC_MEAN), _diagonal(MUSIC_SD))
"""The moods of photos, on music's scales. Unlike in music, exciting ones aren't happier on average:
valence and arousal of OASIS's photos correlate by -.04."""


class Modalities(TypedDict, total=False):
    """What a story's models and corrections say; None means that a modality is absent.

    Probabilities map class names to weights (they need not sum to one; empty or all zero is absent
    too). `scene` is the mood of the whole photo (`ml.scene`).
    """

    emotion: Probabilities | None
    action: Probabilities | None
    intensity: Probabilities | None
    caption: Probabilities | Gaussian | None
    scene: Gaussian | None


def statements(**said: Unpack[Modalities]) -> dict[str, Statement]:
    """Return the statement of each modality present.

    A neutral caption's own Gaussian is as wide as music, so for captions the uninformed Gaussian is
    that of music.
    """
    nothing = mixture(ANY_EMOTION, EMOTION_ANCHORS, EMOTION_SD)
    caption = said.get("caption")
    all_of_them = {
        "emotion": (_emotional(said.get("emotion")), nothing),
        "caption": (_emotional(caption), MUSIC if isinstance(caption, Gaussian) else nothing),
        "activity": (
            _activity(said.get("action"), said.get("intensity")),
            _acting(ANY_ACTION, ANY_INTENSITY),
        ),
        "scene": (said.get("scene"), PHOTOS),
    }
    return {name: (says, unknowing) for name, (says, unknowing) in all_of_them.items() if says}


def _emotional(said: Probabilities | Gaussian | None) -> Gaussian | None:
    if isinstance(said, Gaussian):
        return said
    shares = normalised(said or {}, EMOTION_ANCHORS)
    return mixture(shares, EMOTION_ANCHORS, EMOTION_SD) if shares else None


def _activity(action: Probabilities | None, intensity: Probabilities | None) -> Gaussian | None:
    doing = normalised(action or {}, ACTION_VALENCE)
    moving = normalised(intensity or {}, INTENSITY_ENERGY)
    return _acting(doing or ANY_ACTION, moving or ANY_INTENSITY) if doing or moving else None


def _acting(doing: Probabilities, moving: Probabilities) -> Gaussian:
    """Return the Gaussian of an activity: valence from the actions, energy from their intensity."""
    valence, valence_variance = _along(doing, ACTION_VALENCE, ACTION_VALENCE_SD)
    energy, energy_variance = _along(moving, INTENSITY_ENERGY, INTENSITY_SD)
    return Gaussian(np.array([valence, energy]), np.diag([valence_variance, energy_variance]))


def _along(shares: Probabilities, places: Mapping[str, float], sd: float) -> tuple[float, float]:
    """Return mean and variance of a mixture along one axis."""
    mean = sum(share * places[name] for name, share in shares.items())
    apart = sum(share * (places[name] - mean) ** 2 for name, share in shares.items())
    return mean, apart + sd**2


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


def point(valence: float, energy: float) -> MoodTarget:
    """Return a mood set by hand; raise ValueError outside [0, 1]."""
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
