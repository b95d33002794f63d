"""Read a person's own music from Spotify, page by page.

A cursor, which is stored between pages, names the step and the page within it, and keeps how many
tracks the person has saved. What people play most comes first, so that the first page already gives
suggestions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.spotify.client import LibraryItem, NotFound, NotYourPlaylist, Page, Spotify
from accounts.spotify.types import SpotifyTrack, TopRange
from recommender.catalogue.importing.track_ids import isrc
from recommender.library.store import Found
from recommender.models import RELEASE_DATE, SPOTIFY_ID, LibraryTrack

PAGE = 50
Source = LibraryTrack.Source
Cursor = dict[str, Any]

# In this order; "playlist" is repeated for each playlist that "playlists" found.
STEPS = ("medium_term", "saved", "short_term", "long_term", "recent", "playlists", "playlist")
_LONGEST_ADDRESS = 500


@dataclass(frozen=True)
class Read:
    """One page of somebody's music, and where to go on."""

    source: str
    range: str
    found: list[Found]
    n_listed: int
    """Items on the page, with those that are no playable tracks."""
    n_new: int
    """Items of the whole list, on its first page; else 0."""
    cursor: Cursor
    """Of the next page; without a step after the last one."""


def first_cursor() -> Cursor:
    return {"step": STEPS[0], "offset": 0, "playlists": []}


def is_over(cursor: Cursor) -> bool:
    return "step" not in cursor


def read_page(spotify: Spotify, cursor: Cursor, saved_limit: int) -> Read:
    """Read the page that the cursor names. Raises SpotifyError."""
    step = cursor["step"]
    if step == "saved":
        saved = spotify.saved_tracks(cursor["offset"], PAGE)
        return _listed(cursor | {"n_saved": saved.total}, Source.SAVED, "", saved, saved_limit)
    if step == "recent":
        recent = spotify.recently_played(limit=PAGE).items
        return _listed(cursor, Source.RECENT, "", Page(recent, len(recent), None))
    if step == "playlists":
        return _playlists(spotify, cursor)
    if step == "playlist":
        return _playlist(spotify, cursor)
    top = spotify.top_tracks(TopRange(step), cursor["offset"], PAGE)
    items = tuple(LibraryItem(track, None) for track in top.items)
    return _listed(cursor, Source.TOP, step, Page(items, min(top.total, PAGE), None))


def _playlists(spotify: Spotify, cursor: Cursor) -> Read:
    """Remember the person's own playlists; Spotify doesn't open the others."""
    page = spotify.playlists(cursor["offset"], PAGE)
    own = [playlist.id for playlist in page.items if playlist.is_own and playlist.n_items]
    known = {**cursor, "playlists": [*cursor["playlists"], *own]}
    following = known | {"offset": page.next_offset} if page.next_offset else _next(known)
    return Read(Source.PLAYLIST, "", [], 0, 0, following)


def _playlist(spotify: Spotify, cursor: Cursor) -> Read:
    playlist_id = cursor["playlists"][0]
    try:
        page = spotify.playlist_items(playlist_id, cursor["offset"], PAGE)
    except (NotFound, NotYourPlaylist):  # deleted, or given away, since it was listed
        page = Page((), 0, None)
    return _listed(cursor, Source.PLAYLIST, playlist_id[:30], page)


def _listed(
    cursor: Cursor,
    source: str,
    range: str,
    page: Page[LibraryItem],
    most: int | None = None,
) -> Read:
    offset = cursor["offset"]
    total = page.total if most is None else min(page.total, most)
    more = page.next_offset is not None and page.next_offset < total
    return Read(
        source=source,
        range=range,
        found=found_in(page.items, first_rank=offset + 1),
        n_listed=max(min(PAGE, total - offset), 0),
        n_new=0 if offset else total,
        cursor=cursor | {"offset": page.next_offset} if more else _next(cursor),
    )


def _next(cursor: Cursor) -> Cursor:
    """The first page of the next list."""
    step, playlists = cursor["step"], cursor["playlists"]
    if step == "playlist":
        playlists = playlists[1:]
    elif step != "playlists":
        return cursor | {"step": STEPS[STEPS.index(step) + 1], "offset": 0}
    n_saved = {"n_saved": cursor["n_saved"]} if "n_saved" in cursor else {}
    following = {"step": "playlist", "offset": 0, "playlists": playlists} if playlists else {}
    return n_saved | following


def found_in(items: Iterable[LibraryItem], first_rank: int = 1) -> list[Found]:
    """The items that can be played."""
    return [
        _found(item, rank)
        for rank, item in enumerate(items, start=first_rank)
        if item.track.is_playable and SPOTIFY_ID.fullmatch(item.track.linked_from or item.track.id)
    ]


def _found(item: LibraryItem, rank: int) -> Found:
    track = item.track
    # The id that was saved; Spotify's player and library know it as well.
    saved_id = track.linked_from or track.id
    return Found(saved_id, track.title, track.artists, rank, item.added_at, about(track))


def about(track: SpotifyTrack) -> dict[str, Any]:
    """Columns of a track as Spotify describes it; no artwork, which no page shows."""
    return {
        "album": track.album,
        "release_date": track.release_date if RELEASE_DATE.fullmatch(track.release_date) else "",
        "explicit": track.explicit,
        "duration_ms": track.duration_ms,
        "spotify_url": track.spotify_url if len(track.spotify_url) <= _LONGEST_ADDRESS else "",
        "isrc": isrc(track.isrc),
    }
