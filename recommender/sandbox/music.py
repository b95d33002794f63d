"""How the sandbox's songs sound."""

from __future__ import annotations

import hashlib
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from accounts.spotify.sandbox.songs import Song, by_id
from recommender.catalogue.demo.recipe import Recipe, audio_features, recipe_for

Features = dict[str, float | int]

# ReccoBeats doesn't know every song either: about one in so many is missing.
UNKNOWN_ONE_IN = 25
# Calm genres lie below, loud ones above the middle of energy.
_ENERGY = {
    "ambient": 0.15, "folk": 0.3, "chamber pop": 0.35, "soul": 0.5,
    "funk": 0.7, "indie rock": 0.7, "house": 0.8, "drum and bass": 0.9,
}  # fmt: skip


def known(track_id: str) -> Song | None:
    """The song, if this service knows it."""
    song = by_id().get(track_id)
    return song if song and _number(song, "known") % UNKNOWN_ONE_IN else None


@cache
def recipe(song: Song) -> Recipe:
    """Valence is anywhere, energy near what the genre suggests; editions sound the same."""
    valence = _unit(song, "valence")
    energy = min(max(_ENERGY[song.genre] + 0.4 * (_unit(song, "energy") - 0.5), 0.02), 0.98)
    return recipe_for(valence=valence, energy=energy, seed=_number(song, "seed") % 2**31)


def features(song: Song) -> Features:
    return audio_features(recipe(song))


def popularity(song: Song) -> int:
    return _number(song, "popularity") % 101


def uuid(song: Song) -> str:
    """ReccoBeats' own id."""
    return str(uuid5(NAMESPACE_URL, f"storify:sandbox:{song.id}"))


def recommended(seeds: list[Song], valence: float, energy: float, size: int) -> list[Song]:
    """Songs near the mood; those of the seeds' genres come first."""
    genres, names = {song.genre for song in seeds}, {(s.title, s.artist) for s in seeds}

    def distance(song: Song) -> float:
        mood = recipe(song)
        off = (mood.valence - valence) ** 2 + (mood.energy - energy) ** 2
        return off + (0.0 if song.genre in genres else 0.05)

    others = (song for song in _known() if (song.title, song.artist) not in names)
    return sorted(others, key=distance)[:size]


@cache
def _known() -> tuple[Song, ...]:
    """What recommendations are drawn from; a part, because each song's recipe takes a while."""
    songs = (song for song in [*by_id().values()][::4] if song.playable)
    return tuple(song for song in songs if known(song.id))


def _unit(song: Song, what: str) -> float:
    return (_number(song, what) % 10_000) / 10_000


def _number(song: Song, what: str) -> int:
    text = f"{what} {song.title} {song.artist}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
