"""Maps the columns of a file to fields of a track.

It knows the names used by Spotify's audio-features API, TidyTuesday's `spotify_songs.csv`,
Kaggle's `dataset.csv` and plain tables of tracks, in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.catalogue.importing.columns import AUDIO_FEATURES
from recommender.errors import ImportFailedError

ALIASES: dict[str, tuple[str, ...]] = {
    "source_id": ("track_id", "id", "uri", "spotify_id", "track_uri"),
    "title": ("track_name", "name", "title"),
    "artists": ("artists", "track_artist", "artist_name", "artist_names", "artist"),
    "album": ("track_album_name", "album_name", "album"),
    "release_date": ("track_album_release_date", "release_date", "year"),
    "genre": ("playlist_genre", "track_genre", "genre"),
    "language": ("language", "track_language", "lang"),
    "explicit": ("explicit", "track_explicit"),
    "popularity": ("track_popularity", "popularity"),
    **{name: (name,) for name in AUDIO_FEATURES},
    "duration_ms": ("duration_ms",),
}
MOOD = ("energy", "valence")


@dataclass(frozen=True)
class Layout:
    """The column of each field that the file has."""

    positions: dict[str, int]
    width: int
    needed: tuple[str, ...] = MOOD
    """Features that every row must have."""

    @property
    def has_titles(self) -> bool:
        return "title" in self.positions


def layout_of(header: Sequence[str], *, needed: tuple[str, ...] = MOOD) -> Layout:
    """Find the fields in a header; raises ImportFailedError that names the missing ones."""
    names = [name.strip().lower() for name in header]
    positions = {
        field: names.index(alias)
        for field, aliases in ALIASES.items()
        for alias in [next((a for a in aliases if a in names), None)]
        if alias is not None
    }
    missing = [field for field in ("source_id", *needed) if field not in positions]
    if missing:
        wanted = ", ".join(f"{f} ({' or '.join(ALIASES[f])})" for f in missing)
        raise ImportFailedError(f"The file has no column for: {wanted}.")
    return Layout(positions, len(names), needed)
