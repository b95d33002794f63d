"""Derive a demo track's musical parameters from its point in the valence x energy plane."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

MAJOR_PROGRESSIONS = ((0, 4, 5, 3), (0, 3, 4, 4), (0, 5, 3, 4), (3, 4, 0, 0), (0, 2, 3, 4))
MINOR_PROGRESSIONS = ((0, 5, 2, 6), (0, 3, 0, 4), (0, 6, 5, 6), (0, 5, 3, 4), (0, 0, 3, 5))
DRUMS = ("none", "brushes", "backbeat", "four_on_the_floor", "driving")
# Timbres by energy (rows) and valence (columns).
TIMBRES = (("strings", "organ", "music_box"), ("organ", "keys", "pluck"), ("saw", "synth", "synth"))
ACOUSTIC = {"strings": 0.85, "organ": 0.6, "music_box": 0.9, "keys": 0.7, "pluck": 0.8}


@dataclass(frozen=True)
class Recipe:
    """Everything that the synthesiser needs; the same recipe always sounds the same."""

    seed: int
    valence: float
    energy: float
    key: int
    """0 is C, 11 is B."""
    mode: int
    """1 major, 0 minor."""
    tempo: float
    """Beats per minute."""
    chords: tuple[int, ...]
    """Scale degrees from 0, one per bar, repeated."""
    timbre: str
    drums: str
    brightness: float
    """In [0, 1]: how strong the upper partials are."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "chords": list(self.chords)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        known = {field.name: data[field.name] for field in fields(cls)}
        return cls(**{**known, "chords": tuple(known["chords"])})


def recipe_for(*, valence: float, energy: float, seed: int) -> Recipe:
    """A recipe for this mood: energy makes it faster, fuller and brighter, valence major."""
    rng = np.random.default_rng(seed)
    mode = int(rng.random() < 1.0 / (1.0 + np.exp(-12.0 * (valence - 0.45))))
    progressions = MAJOR_PROGRESSIONS if mode else MINOR_PROGRESSIONS
    return Recipe(
        seed=seed,
        valence=round(valence, 4),
        energy=round(energy, 4),
        key=int(rng.integers(12)),
        mode=mode,
        tempo=round(float(62.0 + 76.0 * energy + rng.uniform(-6.0, 6.0)), 1),
        chords=progressions[int(rng.integers(len(progressions)))],
        timbre=TIMBRES[_step(energy, 3)][_step(valence, 3)],
        drums=DRUMS[_step(energy, len(DRUMS))],
        brightness=round(float(np.clip(0.1 + 0.75 * energy + 0.15 * valence, 0.0, 1.0)), 4),
    )


def audio_features(recipe: Recipe) -> dict[str, float | int]:
    """Audio features in Spotify's names and ranges, computed from the recipe."""
    rng = np.random.default_rng(recipe.seed + 1)
    beat = DRUMS.index(recipe.drums) / (len(DRUMS) - 1)
    near_dance_tempo = 1.0 - min(abs(recipe.tempo - 118.0) / 60.0, 1.0)
    acoustic = ACOUSTIC.get(recipe.timbre, 0.1) * (1.0 - 0.6 * beat)
    danceability = 0.15 + 0.35 * beat + 0.25 * near_dance_tempo + 0.2 * recipe.valence
    return {
        "valence": recipe.valence,
        "energy": recipe.energy,
        "key": recipe.key,
        "mode": recipe.mode,
        "tempo": recipe.tempo,
        "time_signature": 4,
        "danceability": round(min(danceability, 1.0), 4),
        "acousticness": round(acoustic, 4),
        "instrumentalness": round(float(rng.uniform(0.86, 0.96)), 4),
        "speechiness": round(float(rng.uniform(0.03, 0.05)), 4),
        "liveness": round(float(rng.uniform(0.06, 0.12)), 4),
        "loudness": round(-20.0 + 14.0 * recipe.energy, 2),
    }


def _step(value: float, steps: int) -> int:
    return min(int(value * steps), steps - 1)
