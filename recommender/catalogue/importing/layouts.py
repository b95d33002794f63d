"""Map the columns of a file to fields of a track.

It knows the names that Spotify's API, exporters of playlists and published datasets use, in any
case and with any spaces or punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from recommender.catalogue.importing.artists import (
    Splitter,
    by_comma_and_space,
    by_escaped_comma,
    by_list,
    by_semicolon,
    by_semicolon_or_comma,
    single,
)
from recommender.catalogue.importing.columns import AUDIO_FEATURES
from recommender.errors import ImportFailedError

MOOD = ("energy", "valence")
# In order of preference; of several that a file has, the first with a value counts.
ALIASES: dict[str, tuple[str, ...]] = {
    "source_id": (
        *("track_id", "id", "uri", "spotify_id", "track_uri", "spotify_track_id", "spotify_uri"),
        *("spotify_track_uri", "track_url", "spotify_url", "spotify_link", "track_link"),
        *("external_urls.spotify", "url", "link"),
    ),
    "isrc": ("isrc", "track_isrc", "external_ids.isrc"),
    "title": (
        *("track_name", "name", "title", "track_title", "song", "song_name", "song_title"),
        "track",
    ),
    "artists": (
        *("artists", "track_artists", "track_artist", "artist_name", "artist_names", "artist"),
        *("artists_name", "album_artist_names"),
    ),
    "album": ("track_album_name", "album_name", "album", "album_title"),
    "release_date": (
        *("track_album_release_date", "album_release_date", "release_date", "album_date"),
        *("release_year", "released_year", "year"),
    ),
    "genre": ("playlist_genre", "track_genre", "genre", "genres", "artist_genres", "album_genres"),
    "language": ("language", "track_language", "lang"),
    "explicit": ("explicit", "track_explicit", "is_explicit"),
    "popularity": ("track_popularity", "popularity"),
    **{name: (name,) for name in AUDIO_FEATURES},
    "danceability": ("danceability", "dance"),
    "valence": ("valence", "happy"),
    "acousticness": ("acousticness", "acoustic"),
    "instrumentalness": ("instrumentalness", "instrumental"),
    "liveness": ("liveness", "live"),
    "speechiness": ("speechiness", "speech"),
    "loudness": ("loudness", "loudness_db", "loud_db", "loud"),
    "tempo": ("tempo", "bpm", "tempo_bpm"),
    "duration_ms": ("duration_ms", "track_duration_ms", "length_ms", "time_ms"),
    "duration_s": ("duration_s", "duration_sec", "duration_seconds", "track_duration_s"),
    "duration": ("duration", "track_duration", "length", "time"),
}
_SHOWN_COLUMNS, _SHOWN_LENGTH = 60, 40


@dataclass(frozen=True)
class Publisher:
    """A program or dataset that is recognised by its columns, and how it joins artists."""

    name: str
    columns: tuple[str, ...]
    split: Splitter


# The first whose columns are all there counts.
PUBLISHERS = (
    Publisher("Exportify", ("track_uri", "artist_uris", "artist_names"), by_escaped_comma),
    Publisher("Exportify", ("track_uri", "artist_uri", "artist_name"), by_escaped_comma),
    Publisher("Exportify", ("artist_names", "track_name", "added_at"), by_semicolon_or_comma),
    Publisher(
        "TuneMyMusic", ("track_name", "artist_name", "playlist_name", "type"), by_comma_and_space
    ),
    Publisher("Soundiiz", ("title", "artist", "album", "isrc"), by_comma_and_space),
    Publisher("Chosic", ("song", "artist", "spotify_track_id", "camelot"), by_comma_and_space),
    Publisher("Spotify 1.2M+", ("id", "artists", "artist_ids", "disc_number"), by_list),
    Publisher("Spotify tracks 1921-2020", ("id", "name", "artists", "id_artists"), by_list),
    Publisher("Spotify tracks 1921-2020", ("id", "name", "artists", "year", "valence"), by_list),
    Publisher("dataset.csv", ("track_id", "artists", "album_name", "track_genre"), by_semicolon),
    Publisher("TidyTuesday", ("track_id", "track_artist", "playlist_genre"), single),
    Publisher(
        "Ultimate Spotify Tracks DB", ("genre", "artist_name", "track_name", "track_id"), single
    ),
    Publisher("audio features", ("id", "uri", "track_href"), by_semicolon),
)
_OTHER = Publisher("", (), by_semicolon)


@dataclass(frozen=True)
class Layout:
    """The columns of each field that the file has."""

    positions: dict[str, tuple[int, ...]]
    percentages: frozenset[str]
    """Fields that the header states in per cent."""
    width: int
    named: int
    """The columns up to the last one with a name."""
    publisher: Publisher
    needed: tuple[str, ...]
    """Features that every row must have."""
    needs_id: bool = True
    """Whether every row must have a Spotify id; without, title and artist are enough."""

    @property
    def has_titles(self) -> bool:
        return "title" in self.positions

    def columns(self, header: Sequence[str]) -> dict[str, list[str]]:
        """The names of the columns of each field."""
        return {field: [header[p] for p in places] for field, places in self.positions.items()}


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """A column's name without case, spaces and punctuation: "Artist Name(s)" is artistnames.

    "(s)" may be a plural or seconds; a name that is unknown with it is taken without.
    """
    whole, singular = _squeezed(name), _squeezed(re.sub(r"\(s\)", "", name, flags=re.IGNORECASE))
    return singular if singular in _KNOWN and whole not in _KNOWN else whole


def _squeezed(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold().replace("%", "percent")
    return re.sub(r"[\W_]+", "", folded).removeprefix("audiofeatures")


_PLAIN = {field: tuple(map(_squeezed, aliases)) for field, aliases in ALIASES.items()}
_KNOWN = frozenset(name for names in _PLAIN.values() for name in names)


def recognised(header: Sequence[str]) -> int:
    """How many columns a header has that are known."""
    return len(_KNOWN & {plain(name).removesuffix("percent") for name in header})


def id_column(header: Sequence[str]) -> int | None:
    """The column of the id, where there is one."""
    return next(iter(_positions([*map(plain, header)]).get("source_id", ())), None)


def layout_of(
    header: Sequence[str], *, needed: tuple[str, ...] = MOOD, needs_id: bool = True
) -> Layout:
    """Find the fields in a header; raises ImportFailedError that names the missing ones.

    Where no id is needed, a header without one needs titles and artists.
    """
    names = [plain(name) for name in header]
    unscaled = [_unscaled(name, names) for name in names]
    positions = _positions(unscaled)
    has_id = needs_id or "source_id" in positions
    identity = ("source_id",) if has_id else ("title", "artists")
    missing = [field for field in (*identity, *needed) if field not in positions]
    if missing:
        raise ImportFailedError(_missing(missing, header))
    percentages = {
        field for field, places in positions.items() if names[places[0]] != unscaled[places[0]]
    }
    publisher = next(
        (known for known in PUBLISHERS if {*map(plain, known.columns)} <= {*names}), _OTHER
    )
    named = max(at for at, name in enumerate(names, start=1) if name)
    return Layout(positions, frozenset(percentages), len(names), named, publisher, needed, needs_id)


def _unscaled(name: str, names: Sequence[str]) -> str:
    """A name without "percent", unless the file has the same column without it."""
    bare = name.removesuffix("percent")
    return name if bare in names else bare


def _positions(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    positions = {
        field: tuple(at for alias in aliases for at, name in enumerate(names) if name == alias)
        for field, aliases in _PLAIN.items()
    }
    return {field: places for field, places in positions.items() if places}


def _missing(fields: Sequence[str], header: Sequence[str]) -> str:
    wanted = ", ".join(f"{field} ({' or '.join(ALIASES[field])})" for field in fields)
    shown = ", ".join(
        name.strip()[:_SHOWN_LENGTH] or "(no name)" for name in header[:_SHOWN_COLUMNS]
    )
    more = f" and {len(header) - _SHOWN_COLUMNS} more" if len(header) > _SHOWN_COLUMNS else ""
    advice = (
        "Without Spotify ids tracks can't be imported."
        if "source_id" in fields
        else "Add --without-features to import the tracks all the same; the sources named in "
        "FEATURE_PROVIDERS fill in the rest."
    )
    return f"The file has no column for: {wanted}. Its columns are: {shown}{more}. {advice}"
