"""Search Spotify for tracks that the catalogue lacks. Nothing of it is stored until it's chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from accounts.models import User
from accounts.selectors import spotify_account
from accounts.spotify.client import Spotify, SpotifyError
from accounts.spotify.types import SpotifyTrack
from recommender.engine.tracks.derived import derived_columns
from recommender.models import RELEASE_DATE, Track

PAGE = 10
# Spotify gives ten a page; whoever hasn't found it after five will rather change the words.
MOST = 50
FIRST, LAST = 0, MOST - PAGE

State = Literal["ok", "not_connected", "away"]
STATES: tuple[State, ...] = ("ok", "not_connected", "away")
WRONG_YEARS = "Please give a year, or years such as 1990-1999, the earlier one first."
_YEARS = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?", re.ASCII)
NOT_CONNECTED = "Connect Spotify to search there, too."


def years_of(text: str) -> tuple[int, int] | None:
    """The first and the last year of "1999" or "1990-1999"; None for no text.

    Raises ValueError for anything else, with words for people.
    """
    if not text:
        return None
    found = _YEARS.fullmatch(text)
    years = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if years[0] > years[1]:
        raise ValueError(WRONG_YEARS)
    return years


@dataclass(frozen=True)
class SpotifyResults:
    """One page of Spotify's answer, or why there is none."""

    state: State
    detail: str = ""
    tracks: tuple[SpotifyTrack, ...] = ()
    next_offset: int | None = None


def search_spotify(
    user: User, q: str, *, genre: str = "", year: str = "", offset: int = FIRST
) -> SpotifyResults:
    """Ask Spotify for the page at `offset`, a multiple of ten below 50. Raises nothing."""
    account = spotify_account(user)
    if account is None:
        return SpotifyResults("not_connected", NOT_CONNECTED)
    try:
        with Spotify(account) as spotify:
            page = spotify.search_tracks(q, limit=PAGE, offset=offset, genre=genre, year=year)
    except SpotifyError as error:
        return SpotifyResults("away", str(error))
    more = page.next_offset if page.next_offset and page.next_offset <= LAST else None
    return SpotifyResults("ok", tracks=page.items, next_offset=more)


def columns_of(found: SpotifyTrack) -> dict[str, Any]:
    """What Spotify says about a track, as columns of `Track`; no artwork, which no page shows."""
    return {
        "title": found.title,
        "artists": [*found.artists],
        "album": found.album,
        "release_date": found.release_date if RELEASE_DATE.fullmatch(found.release_date) else "",
        "explicit": found.explicit,
        "duration_ms": found.duration_ms,
        "spotify_url": found.spotify_url,
    }


def unsaved_track(found: SpotifyTrack) -> Track:
    """The track as pages show it, without a row."""
    described = columns_of(found)
    derived = derived_columns(
        title=found.title, artists=found.artists, release_date=described["release_date"]
    )
    source = {"source": Track.Source.SPOTIFY, "source_id": found.id}
    return Track(**{**source, **described, **derived})
