"""A deterministic list of demo tracks, spread evenly over the mood plane."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np

from recommender.catalogue.demo.arrangement import duration
from recommender.catalogue.demo.names import artist_names, title_for
from recommender.catalogue.demo.recipe import Recipe, audio_features, recipe_for

N_TRACKS = 300
_EDGE = 0.03
_GENRES = (
    ("Ambient", "Chamber", "Acoustic"),
    ("Downtempo", "Lo-fi", "Folk pop"),
    ("Dark electro", "Electronic", "Dance pop"),
)
# The plastic number, for the low-discrepancy R2 sequence (Roberts 2018).
_PLASTIC = 1.32471795724474602596


@dataclass(frozen=True)
class DemoTrack:
    """One demo track with its metadata, features and recipe."""

    number: int
    title: str
    artist: str
    genre: str
    recipe: Recipe
    features: dict[str, float | int]

    @property
    def source_id(self) -> str:
        return f"demo-{self.number:03d}"

    @property
    def duration_ms(self) -> int:
        return round(1000 * duration(self.recipe))

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE_URL, f"storify:{self.source_id}")


def demo_tracks(n: int = N_TRACKS) -> list[DemoTrack]:
    """The first `n` tracks of the catalogue."""
    homes = _artist_homes()
    busy: Counter[str] = Counter()
    taken: set[str] = set()
    tracks = []
    for number in range(1, n + 1):
        valence, energy = _spread(number, 0.5)
        artist = _artist_near(valence, energy, homes, busy)
        title = title_for(valence=valence, energy=energy, seed=number, taken=taken)
        busy[artist] += 1
        taken.add(title)
        tracks.append(_track(number, title, artist, valence, energy))
    return tracks


def _track(number: int, title: str, artist: str, valence: float, energy: float) -> DemoTrack:
    recipe = recipe_for(valence=valence, energy=energy, seed=1000 + 10 * number)
    genre = _GENRES[min(int(energy * 3), 2)][min(int(valence * 3), 2)]
    return DemoTrack(number, title, artist, genre, recipe, audio_features(recipe))


def _spread(number: int, start: float) -> tuple[float, float]:
    """Point `number` of a low-discrepancy sequence over the mood plane."""
    valence = (start + number / _PLASTIC) % 1.0
    energy = (start + number / _PLASTIC**2) % 1.0
    inner = 1.0 - 2.0 * _EDGE
    return _EDGE + inner * valence, _EDGE + inner * energy


def _artist_homes() -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return {
        name: np.array(_spread(number, 0.25)) for number, name in enumerate(artist_names(), start=1)
    }


def _artist_near(
    valence: float,
    energy: float,
    homes: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]],
    busy: Counter[str],
) -> str:
    """The artist nearest to this mood, with a penalty for tracks they already have."""
    here = np.array([valence, energy])
    return min(
        homes, key=lambda name: float(np.linalg.norm(homes[name] - here)) + 0.03 * busy[name]
    )
