"""Fuse tags into a mood: a point with its uncertainty in the valence x energy plane.

Every modality is one Gaussian: faces and the caption are mixtures of emotions, the activity is a
mixture of actions and intensities. Its evidence is the precision beyond that of an uninformed
modality, times its reliability. The Gaussians are multiplied with a prior: the distribution of all
music or, given light and colour, of music for such a scene. If modalities disagree, each is widened
by how far apart they are, as in a random-effects meta-analysis (DerSimonian & Laird 1986).
`ml/models/MOOD.md` reports how well this works.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

# Bounds of valence and energy over all anchors. Modalities that agree add up to a little more, so
# the fused mood is clipped.
_VALENCES = [*(valence for valence, _ in EMOTION_ANCHORS.values()), *ACTION_VALENCE.values()]
_ENERGIES = [*(energy for _, energy in EMOTION_ANCHORS.values()), *INTENSITY_ENERGY.values()]
LEAST = np.array([min(_VALENCES), min(_ENERGIES)])
MOST = np.array([max(_VALENCES), max(_ENERGIES)])

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
        return {"mean": self.mean.tolist(), "covariance": self.covariance.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Gaussian":
        """Return the Gaussian that `to_json` wrote; raise KeyError if malformed."""
        return cls(np.array(data["mean"], float), np.array(data["covariance"], float))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gaussian) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.mean.tobytes(), self.covariance.tobytes()))


@dataclass(frozen=True)
class Evidence:
    """The evidence of a modality, as a Gaussian in information form.

    `precision` (2, 2) is positive semidefinite and `pull` (2,) is precision times centre; both are
    zero without information. `mean` (2,) is the mean of the modality itself.
    """

    mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    pull: NDArray[np.float64]


Statement = tuple[Gaussian, Gaussian]
"""The Gaussian of a modality, and that of the same modality without information."""


def _diagonal(sd: tuple[float, float], correlation: float = 0.0) -> NDArray[np.float64]:
    covariance = correlation * sd[0] * sd[1]
    return np.array([[sd[0] ** 2, covariance], [covariance, sd[1] ** 2]])


MUSIC = Gaussian(np.array(MUSIC_MEAN), _diagonal(MUSIC_SD, MUSIC_CORRELATION))

RELIABILITY = {"emotion": 1.0, "caption": 0.8, "activity": 1.0}
"""Share of a modality's precision that counts; MOOD.md describes how they are fitted."""


def fuse(
    *,
    emotion: Probabilities | None = None,
    action: Probabilities | None = None,
    intensity: Probabilities | None = None,
    caption: Probabilities | Gaussian | None = None,
    scene: Gaussian | None = None,
) -> MoodTarget:
    """Return the mood of all modalities; without any, the mean of all music.

    Probabilities map class names to weights (they need not sum to one); None, empty or all zero
    means that the modality is absent. `scene` is the mood that light and colour suggest
    (`ml.scene.colour`). Raises ValueError for an unknown class or a negative weight.
    """
    said = statements(emotion=emotion, action=action, intensity=intensity, caption=caption)
    return combine(evidence(said).values(), scene or MUSIC)


def evidence(
    said: Mapping[str, Statement], reliability: Mapping[str, float] = RELIABILITY
) -> dict[str, Evidence]:
    """Return the evidence in the modalities' statements."""
    return {name: _beyond(*statement, reliability[name]) for name, statement in said.items()}


def statements(
    *,
    emotion: Probabilities | None = None,
    action: Probabilities | None = None,
    intensity: Probabilities | None = None,
    caption: Probabilities | Gaussian | None = None,
) -> dict[str, Statement]:
    """Return the statement of each modality present; arguments as for `fuse`.

    A neutral caption's own Gaussian is as wide as music, so for captions the uninformed Gaussian is
    that of music.
    """
    nothing = mixture(ANY_EMOTION, EMOTION_ANCHORS, EMOTION_SD)
    said = {
        "emotion": (_emotional(emotion), nothing),
        "caption": (_emotional(caption), MUSIC if isinstance(caption, Gaussian) else nothing),
        "activity": (_activity(action, intensity), _acting(ANY_ACTION, ANY_INTENSITY)),
    }
    return {name: (says, unknowing) for name, (says, unknowing) in said.items() if says}


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


def _beyond(says: Gaussian, unknowing: Gaussian, reliability: float) -> Evidence:
    """Return the evidence that turns the uninformed Gaussian into `says`.

    A modality torn between classes may be wider than the uninformed one; then only its mean counts.
    """
    before = np.linalg.inv(unknowing.covariance)
    values, axes = np.linalg.eigh(np.linalg.inv(says.covariance) - before)
    precision = axes @ np.diag(np.maximum(values, 0)) @ axes.T
    pull = (before + precision) @ says.mean - before @ unknowing.mean
    return Evidence(says.mean, reliability * precision, reliability * pull)


def combine(modalities: Iterable[Evidence], prior: Gaussian = MUSIC) -> MoodTarget:
    """Return the product of the prior and the modalities, widened by their disagreement."""
    given = list(modalities)
    apart = _disagreement(given)
    known = np.linalg.inv(prior.covariance)
    # Adding `apart` to the covariance, written so that a precision of zero is allowed.
    left = [np.linalg.inv(np.eye(2) + m.precision @ apart) for m in given]
    precision = sum((k @ m.precision for k, m in zip(left, given, strict=True)), known)
    pull = sum((k @ m.pull for k, m in zip(left, given, strict=True)), known @ prior.mean)
    covariance = np.linalg.inv(precision)
    return _target(covariance @ pull, covariance)


def _disagreement(modalities: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return the variance (2, 2, diagonal) of the modalities' means, weighted by precision."""
    if len(modalities) < 2:
        return np.zeros((2, 2))
    means = np.array([modality.mean for modality in modalities])
    weights = np.array([modality.precision.diagonal() for modality in modalities])
    shares = weights / np.maximum(weights.sum(axis=0), 1e-12)
    middle = (shares * means).sum(axis=0)
    return np.diag((shares * (means - middle) ** 2).sum(axis=0))


def _target(mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> MoodTarget:
    valence, energy = (float(value) for value in np.clip(mean, LEAST, MOST))
    cross = float(covariance[0, 1] + covariance[1, 0]) / 2
    spread = ((float(covariance[0, 0]), cross), (cross, float(covariance[1, 1])))
    return MoodTarget(valence, energy, spread)


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
