"""Put a mood into words: from its whole distribution, not from its point alone.

Directions and distances are counted from the middle of all music in its standard deviations
(`ml.mood.MUSIC_MEAN`, `MUSIC_SD`). Around a middle region lie eight sides, an eighth of a turn
each. The side with the most mass gives the word, which is as strong as a large enough share of the
distribution bears out: weaker the nearer the mood is to the middle, and the wider it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.mood import MUSIC, MUSIC_MEAN, MUSIC_SD, MoodTarget

Array = NDArray[np.float64]
Certainty = Literal["certain", "high", "medium", "low"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "high", "medium", "low")

# Around the plane from "pleasant" through "energetic", an eighth of a turn each.
SIDES = ("cheerful", "joyful", "energetic", "tense", "uneasy", "sad", "quiet", "calm")
BALANCED, HARD_TO_TELL = "balanced", "hard to tell"
STRENGTHS = ("a little {}", "{}", "very {}")
DISTANCES = (0.5, 0.8, 1.5)
"""Where each strength begins. Nearer than the first is the middle region, which holds about as much
music as a side."""

# What was chosen by looking at moods of every kind, not fitted.
PROBABLE = (0.6, 0.6, 0.75)
"""Share of the distribution that has to lie so far towards the side, by strength."""
LEANING = 0.75
"""Share on one side of the middle from which "perhaps a little …" is said."""
CLOSE = 0.65
"""Mass of the second side, relative to the first, from which both are named."""
WIDE, RATHER_WIDE = 0.9, 0.8
"""Widths, relative to that of all music, from which nothing and no leaning is told."""
HIGH = 0.85
"""Share on the named side from which the certainty is high, unless it's "perhaps a little"."""

# The plane as so many cells a side; those on a border between regions are divided more finely.
_CELLS, _FINER = 64, 8
_turns = np.arange(len(SIDES)) * (2 * np.pi / len(SIDES))
_DIRECTIONS: Array = np.array([np.cos(_turns), np.sin(_turns)])


@dataclass(frozen=True)
class MoodWords:
    """The word for a mood, and how much of the mood's distribution bears it out."""

    word: str
    """As in "This feels …": "very calm", "calm, perhaps a little quiet", BALANCED, HARD_TO_TELL."""
    certainty: Certainty
    share: float
    """How much of the distribution lies on the named side, in [0, 1]; 0 for HARD_TO_TELL."""
    strength: int = 0
    """From 1, "a little", to 3, "very"; 0 for "perhaps a little" and where no side is named."""
    side: int | None = None
    """The place in SIDES of the side that is named with a strength."""

    @property
    def is_hard_to_tell(self) -> bool:
        """Whether the mood is too wide for any word."""
        return self.word == HARD_TO_TELL


_NOTHING = MoodWords(HARD_TO_TELL, "low", 0.0)


@lru_cache(maxsize=4096)
def mood_words(mood: MoodTarget) -> MoodWords:
    """Return the words for a mood that was inferred."""
    if relative_width(mood) >= WIDE:
        return _NOTHING
    weights = _weights(mood)
    masses = _region_masses(weights)
    first = int(masses[:-1].argmax())
    strength = _strength(weights, first)
    if strength == 0:
        return _weak(mood, weights, masses)
    share = _share_beyond(0.0, first, weights)
    word = _named(weights, masses, first, strength)
    return MoodWords(word, _certainty(share), share, strength, first)


@lru_cache(maxsize=4096)
def point_words(valence: float, energy: float) -> MoodWords:
    """Return the words for a point that is known: set by hand, or a track's own."""
    reach = _reach(np.array([valence, energy]))
    side, strength = int(reach.argmax()), sum(bool(reach.max() >= far) for far in DISTANCES)
    if not strength:
        return MoodWords(BALANCED, "certain", 1.0)
    return MoodWords(STRENGTHS[strength - 1].format(SIDES[side]), "certain", 1.0, strength, side)


def region_masses(mood: MoodTarget) -> dict[str, float]:
    """Return the probability of each of SIDES and of BALANCED, the middle region.

    The mood's Gaussian is restricted to the unit square, in which every mood lies.
    """
    masses = _region_masses(_weights(mood)).tolist()
    return dict(zip((*SIDES, BALANCED), masses, strict=True))


def relative_width(mood: MoodTarget) -> float:
    """Return the geometric mean of the standard deviations, 1 for the prior of all music."""
    determinant = max(float(np.linalg.det(mood.gaussian.covariance)), 0.0)
    return float((determinant / np.linalg.det(MUSIC.covariance)) ** 0.25)


def _widest(mood: MoodTarget) -> float:
    """Return the larger of the two standard deviations, 1 for music's."""
    deviations = np.sqrt(np.maximum(mood.gaussian.covariance.diagonal(), 0)) / MUSIC_SD
    return float(deviations.max())


def _reach(places: Array) -> Array:
    """Return how far places (…, 2) lie towards each side (8, …), in deviations of music."""
    away = (places - MUSIC_MEAN) / np.array(MUSIC_SD)
    reach: Array = np.einsum("...a,as->s...", away, _DIRECTIONS)
    return reach


def _midpoints(cells: int) -> Array:
    return (np.arange(cells) + 0.5) / cells


def _squares(cells: int) -> Array:
    """Return the midpoints (cells², 2) of the unit square in cells, row by row."""
    return np.stack(np.meshgrid(_midpoints(cells), _midpoints(cells)), axis=-1).reshape(-1, 2)


def _members() -> Array:
    """Return which part of each cell is in each region, the middle last: (9, cells²)."""
    fine = _CELLS * _FINER
    reach = _reach(_squares(fine))
    regions = np.where(reach.max(axis=0) < DISTANCES[0], len(SIDES), reach.argmax(axis=0))
    tiles = regions.reshape(_CELLS, _FINER, _CELLS, _FINER)
    return np.array([(tiles == place).mean(axis=(1, 3)).ravel() for place in range(len(SIDES) + 1)])


_REACH = _reach(_squares(_CELLS))
_CENTRAL = DISTANCES[1] > _REACH.max(axis=0)
_MEMBERS = _members()


def _weights(mood: MoodTarget) -> Array:
    """Return the probability of every cell; no mood is taken to be narrower than a cell."""
    (valence, energy), covariance = mood.gaussian.mean, mood.gaussian.covariance
    values, axes = np.linalg.eigh(covariance)
    precision = axes @ np.diag(1 / np.maximum(values, _CELLS**-2)) @ axes.T
    steps = _midpoints(_CELLS)
    x, y = steps - valence, (steps - energy)[:, None]
    squares = precision[0, 0] * x**2 + precision[1, 1] * y**2 + 2 * precision[0, 1] * (y * x)
    weights: Array = np.exp((squares.min() - squares) / 2).ravel()
    weights /= weights.sum()
    return weights


def _region_masses(weights: Array) -> Array:
    """Return the mass of every side and, last, of the middle."""
    masses: Array = _MEMBERS @ weights
    return masses


def _share_beyond(distance: float, side: int, weights: Array) -> float:
    return float(weights @ (_REACH[side] >= distance))


def _strength(weights: Array, side: int) -> int:
    needed = zip(DISTANCES, PROBABLE, strict=True)
    return sum(_share_beyond(distance, side, weights) >= share for distance, share in needed)


def _weak(mood: MoodTarget, weights: Array, masses: Array) -> MoodWords:
    """Return the words for a mood without a clear side."""
    first = int(masses[:-1].argmax())
    share, central = _share_beyond(0.0, first, weights), float(weights @ _CENTRAL)
    if masses[-1] >= masses[first]:
        known = _widest(mood) < RATHER_WIDE
        return MoodWords(BALANCED, _certainty(central), central) if known else _NOTHING
    if share >= LEANING and relative_width(mood) < RATHER_WIDE:
        return MoodWords(f"perhaps a little {SIDES[first]}", "medium", share)
    return _NOTHING


def _certainty(share: float) -> Certainty:
    return "high" if share >= HIGH else "medium"


def _named(weights: Array, masses: Array, first: int, strength: int) -> str:
    """Name the side with the most mass, and its neighbour if that has nearly as much."""
    beside = max(((first + step) % len(SIDES) for step in (-1, 1)), key=lambda side: masses[side])
    word = STRENGTHS[strength - 1].format(SIDES[first])
    if masses[beside] < CLOSE * masses[first]:
        return word
    if strength == 1:
        return f"{word} or {SIDES[beside]}"
    hedge = "perhaps a little" if _strength(weights, beside) < 2 else "perhaps"
    return f"{word}, {hedge} {SIDES[beside]}"
