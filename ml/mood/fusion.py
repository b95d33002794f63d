"""Fuse the modalities of a story into one mood.

The evidence of a modality is the precision of its Gaussian beyond that of an uninformed one, times
its reliability. Faces, activity and scene are read from the same photo and share an error, so they
are combined by generalised least squares first. The photo and the caption are then multiplied with
a prior. If they disagree, both are widened by how far apart they are, as in a random-effects
meta-analysis (DerSimonian & Laird 1986). `ml/models/MOOD.md` reports how well this works.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from ml.mood import (
    ACTION_VALENCE,
    EMOTION_ANCHORS,
    INTENSITY_ENERGY,
    MUSIC,
    PHOTOS,
    Gaussian,
    Modalities,
    MoodTarget,
    Statement,
    statements,
)

# Bounds of valence and energy: those of all anchors and of nearly nine of ten photos. Modalities
# that agree add up to a little more, so the fused mood is clipped.
_VALENCES = [*(valence for valence, _ in EMOTION_ANCHORS.values()), *ACTION_VALENCE.values()]
_ENERGIES = [*(energy for _, energy in EMOTION_ANCHORS.values()), *INTENSITY_ENERGY.values()]
_USUAL = 1.5 * np.sqrt(PHOTOS.covariance.diagonal())
LEAST = np.minimum([min(_VALENCES), min(_ENERGIES)], PHOTOS.mean - _USUAL)
MOST = np.maximum([max(_VALENCES), max(_ENERGIES)], PHOTOS.mean + _USUAL)


@dataclass(frozen=True)
class Evidence:
    """The evidence of a modality, as a Gaussian in information form.

    `precision` (2, 2) is positive semidefinite and `pull` (2,) is precision times centre; both are
    zero without information. `mean` (2,) is the mean of the modality itself.
    """

    mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    pull: NDArray[np.float64]

    def times(self, share: float) -> "Evidence":
        """Return the evidence of which this share counts."""
        return Evidence(self.mean, share * self.precision, share * self.pull)


@dataclass(frozen=True)
class Fusion:
    """Learned numbers of the fusion; `python -m ml.training.mood.train` fits them.

    `reliability` is the share of a modality's precision that counts, `shared` the standard
    deviation of the error of "valence" and of "energy" that faces, activity and scene of a photo
    have in common, and `widening` how often "photo" and "caption" are widened by their variance.
    """

    reliability: Mapping[str, float]
    shared: Mapping[str, float]
    widening: Mapping[str, float]


FILE = Path(__file__).parents[1] / "models" / "mood.json"
FUSION = Fusion(**json.loads(FILE.read_text())["fusion"])


CONTRADICTS = 0.7
"""Disagreement from which photo and caption contradict each other, on pages and in reviews."""


def fuse(fusion: Fusion = FUSION, **said: Unpack[Modalities]) -> MoodTarget:
    """Return the mood of all modalities; without any, the mean of all music.

    Raises ValueError for an unknown class or a negative weight.
    """
    return fused(evidence(statements(**said)), fusion)


def fused(told: Mapping[str, Evidence], fusion: Fusion = FUSION) -> MoodTarget:
    """Return the mood of the evidence of each modality present."""
    both = witnesses(told, fusion)
    widening = [fusion.widening[name] for name in both]
    return combine([*both.values()], PHOTOS if "scene" in told else MUSIC, widening)


def disagreement(fusion: Fusion = FUSION, **said: Unpack[Modalities]) -> float:
    """Return from 0 to 1 how much photo and caption contradict each other.

    It is the share of stories in which the two would lie nearer to each other if both spoke of one
    mood: 0 without a caption or where either says nothing. What is read lies nearer to the middle
    than what is meant, so that share is rather too small.
    """
    return contradiction(evidence(statements(**said)), fusion)


def contradiction(told: Mapping[str, Evidence], fusion: Fusion = FUSION) -> float:
    """Return the disagreement of the evidence of each modality present."""
    both = witnesses(told, fusion)
    if len(both) < 2:
        return 0.0
    photo, caption = both["photo"], both["caption"]
    total = np.linalg.pinv(photo.precision + caption.precision)
    apart = photo.mean - caption.mean
    distance = float(apart @ photo.precision @ total @ caption.precision @ apart)
    return float(1 - np.exp(-max(distance, 0.0) / 2))


def witnesses(told: Mapping[str, Evidence], fusion: Fusion = FUSION) -> dict[str, Evidence]:
    """Return the evidence of "photo" and "caption", as far as they are present.

    Faces, activity and scene are combined as measurements with a common error of variance `shared`
    beside their own ones, the generalised least squares of that covariance.
    """
    counted = {name: one.times(fusion.reliability[name]) for name, one in told.items()}
    seen = [one for name, one in counted.items() if name != "caption"]
    photo = {"photo": _together(seen, fusion)} if seen else {}
    return photo | {name: one for name, one in counted.items() if name == "caption"}


def _together(seen: Sequence[Evidence], fusion: Fusion) -> Evidence:
    precision = np.sum([one.precision for one in seen], axis=0)
    pull = np.sum([one.pull for one in seen], axis=0)
    common = np.diag([fusion.shared["valence"] ** 2, fusion.shared["energy"] ** 2])
    return _widened(Evidence(_middle(seen)[0], precision, pull), common)


def evidence(said: Mapping[str, Statement]) -> dict[str, Evidence]:
    """Return the evidence in the modalities' statements, all of it."""
    return {name: _beyond(*statement) for name, statement in said.items()}


def _beyond(says: Gaussian, unknowing: Gaussian) -> Evidence:
    """Return the evidence that turns the uninformed Gaussian into `says`.

    A modality torn between classes may be wider than the uninformed one; then only its mean counts.
    """
    before = np.linalg.inv(unknowing.covariance)
    values, axes = np.linalg.eigh(np.linalg.inv(says.covariance) - before)
    precision = axes @ np.diag(np.maximum(values, 0)) @ axes.T
    pull = (before + precision) @ says.mean - before @ unknowing.mean
    return Evidence(says.mean, precision, pull)


def combine(
    modalities: Sequence[Evidence],
    prior: Gaussian = MUSIC,
    widening: Sequence[float] | None = None,
) -> MoodTarget:
    """Return the product of the prior and the modalities, widened by their disagreement."""
    apart = _disagreement(modalities)
    times = widening or [1.0] * len(modalities)
    given = [_widened(m, t * apart) for m, t in zip(modalities, times, strict=True)]
    known = np.linalg.inv(prior.covariance)
    covariance = np.linalg.inv(sum((m.precision for m in given), known))
    return _target(covariance @ sum((m.pull for m in given), known @ prior.mean), covariance)


def _widened(modality: Evidence, more: NDArray[np.float64]) -> Evidence:
    """Return the evidence with `more` (2, 2) added to its covariance.

    It is written so that a precision of zero is allowed.
    """
    left = np.linalg.inv(np.eye(2) + modality.precision @ more)
    return Evidence(modality.mean, left @ modality.precision, left @ modality.pull)


def _middle(modalities: Sequence[Evidence]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (2,) and variance (2,) of the modalities' means, weighted by precision."""
    means = np.array([modality.mean for modality in modalities])
    weights = np.array([modality.precision.diagonal() for modality in modalities])
    shares = weights / np.maximum(weights.sum(axis=0), 1e-12)
    middle = (shares * means).sum(axis=0)
    return middle, (shares * (means - middle) ** 2).sum(axis=0)


def _disagreement(modalities: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return the variance (2, 2, diagonal) of the modalities' means."""
    return np.diag(_middle(modalities)[1]) if len(modalities) > 1 else np.zeros((2, 2))


def _target(mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> MoodTarget:
    valence, energy = (float(value) for value in np.clip(mean, LEAST, MOST))
    cross = float(covariance[0, 1] + covariance[1, 0]) / 2
    spread = ((float(covariance[0, 0]), cross), (cross, float(covariance[1, 1])))
    return MoodTarget(valence, energy, spread)
