"""Arrange a recipe as notes: melody, chords, bass and drums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recommender.catalogue.demo.recipe import Recipe

SECONDS = 22.0
TAIL_SECONDS = 1.6
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_BEATS_PER_BAR = 4
# The sixteenths of a bar on which each drum is struck.
_PATTERNS: dict[str, dict[str, tuple[int, ...]]] = {
    "none": {},
    "brushes": {"hat": (4, 12), "kick": (0,)},
    "backbeat": {"kick": (0, 8), "snare": (4, 12), "hat": (0, 4, 8, 12)},
    "four_on_the_floor": {"kick": (0, 4, 8, 12), "snare": (4, 12), "hat": (2, 6, 10, 14)},
    "driving": {"kick": (0, 4, 8, 12), "snare": (4, 12), "hat": tuple(range(16))},
}

Part = Literal["lead", "chord", "bass", "kick", "snare", "hat"]


@dataclass(frozen=True)
class Note:
    """One sound: times in seconds, pitch as a MIDI number (0 for drums), loudness in [0, 1]."""

    part: Part
    start: float
    length: float
    pitch: int
    loudness: float


def duration(recipe: Recipe) -> float:
    """Length in seconds, including the reverb tail."""
    return _rounds(recipe) * len(recipe.chords) * _bar(recipe) + TAIL_SECONDS


def _bar(recipe: Recipe) -> float:
    return _BEATS_PER_BAR * 60.0 / recipe.tempo


def _rounds(recipe: Recipe) -> int:
    return max(1, round(SECONDS / (len(recipe.chords) * _bar(recipe))))


def arrange(recipe: Recipe) -> list[Note]:
    """All notes of the track, in whole rounds of its chords, about SECONDS long."""
    rng = np.random.default_rng(recipe.seed + 2)
    beat = 60.0 / recipe.tempo
    rounds = _rounds(recipe)
    notes: list[Note] = []
    melody_step = 7 + int(rng.integers(5))
    for bar, degree in enumerate(recipe.chords * rounds):
        start = bar * _BEATS_PER_BAR * beat
        notes += _chord(recipe, degree, start, beat)
        notes += _bass(recipe, degree, start, beat)
        notes += _drums(recipe, start, beat)
        bar_melody, melody_step = _melody(recipe, degree, melody_step, start, beat, rng=rng)
        notes += bar_melody
    return notes


def _pitch(recipe: Recipe, step: int, octave: int) -> int:
    """The MIDI pitch of a scale step, counted from the tonic in this octave."""
    scale = _MAJOR if recipe.mode else _MINOR
    return 12 * (octave + 1) + recipe.key % 12 + 12 * (step // 7) + scale[step % 7]


def _chord(recipe: Recipe, degree: int, start: float, beat: float) -> list[Note]:
    """Chords held for the bar when calm, struck on the beats when lively."""
    strikes = 1 if recipe.energy < 0.35 else 2 if recipe.energy < 0.65 else 4
    length = _BEATS_PER_BAR * beat / strikes
    octave = 4 if recipe.energy >= 0.5 else 3
    root = degree if degree < 4 else degree - 7
    return [
        Note("chord", start + i * length, 0.98 * length, _pitch(recipe, step, octave), 0.5)
        for i in range(strikes)
        for step in (root, root + 2, root + 4)
    ]


def _bass(recipe: Recipe, degree: int, start: float, beat: float) -> list[Note]:
    strikes = 1 if recipe.energy < 0.3 else 2 if recipe.energy < 0.5 else 4
    strikes = 8 if recipe.energy >= 0.75 else strikes
    length = _BEATS_PER_BAR * beat / strikes
    pitch = _pitch(recipe, degree if degree < 4 else degree - 7, 2)
    return [Note("bass", start + i * length, 0.9 * length, pitch, 0.8) for i in range(strikes)]


def _drums(recipe: Recipe, start: float, beat: float) -> list[Note]:
    loudness = 0.2 + 0.8 * recipe.energy
    return [
        Note(part, start + sixteenth * beat / 4, 0.3, 0, loudness)  # type: ignore[arg-type]
        for part, sixteenths in _PATTERNS[recipe.drums].items()
        for sixteenth in sixteenths
    ]


def _melody(
    recipe: Recipe,
    degree: int,
    step: int,
    start: float,
    beat: float,
    *,
    rng: np.random.Generator,
) -> tuple[list[Note], int]:
    """A random walk over the scale that lands on chord notes on strong beats."""
    length = beat * (2.0 if recipe.energy < 0.25 else 1.0 if recipe.energy < 0.6 else 0.5)
    rest = 0.3 - 0.2 * recipe.energy
    notes = []
    for i in range(round(_BEATS_PER_BAR * beat / length)):
        step = int(np.clip(step + rng.choice((-2, -1, -1, 0, 1, 1, 2)), 4, 13))
        if i % 2 == 0:
            step = _nearest_chord_step(step, degree)
        if i == 0 or rng.random() > rest:
            loudness = 0.75 + 0.25 * rng.random()
            pitch = _pitch(recipe, step, 4 if recipe.energy >= 0.3 else 3)
            notes.append(Note("lead", start + i * length, 0.95 * length, pitch, loudness))
    return notes, step


def _nearest_chord_step(step: int, degree: int) -> int:
    chord = {(degree + third) % 7 for third in (0, 2, 4)}
    return min((s for s in range(3, 15) if s % 7 in chord), key=lambda s: abs(s - step))
