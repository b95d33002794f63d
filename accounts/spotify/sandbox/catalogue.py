"""The sandbox's songs in the format of Spotify's API, and the search in them."""

import re
from functools import cache
from typing import Any

from django.conf import settings

from accounts.spotify.sandbox.songs import Song, base62_id, by_id

_FILTER = re.compile(r'\b(genre|year|isrc):(?:"([^"]*)"|(\S+))', re.IGNORECASE)


def search(query: str) -> list[Song]:
    """Songs that contain at least one of the words, best match first, within the filters."""
    filters = {m[1].lower(): (m[2] or m[3] or "").lower() for m in _FILTER.finditer(query)}
    words = _FILTER.sub(" ", query).lower().split()
    found = [(song, sum(word in text for word in words)) for song, text in _texts()]
    fitting = (one for one in found if (one[1] or not words) and _fits(one[0], filters))
    return [song for song, _ in sorted(fitting, key=lambda one: -one[1])]


@cache
def _texts() -> tuple[tuple[Song, str], ...]:
    return tuple((s, f"{s.title} {s.artist} {s.album}".lower()) for s in by_id().values())


def _fits(song: Song, filters: dict[str, str]) -> bool:
    first, _, last = filters.get("year", "").partition("-")
    return (
        filters.get("genre", "") in song.genre
        and filters.get("isrc", "") in song.isrc.lower()
        and (not first or first <= song.released[:4] <= (last or first))
    )


def track_json(song: Song, *, linked_from: str = "") -> dict[str, Any]:
    """A TrackObject without `popularity`, which apps in development mode don't get."""
    artists = [artist_json(song.artist)]
    return _reference("track", song.id) | {
        "name": song.title,
        "album": _album_json(song, artists),
        "artists": artists,
        "duration_ms": song.seconds * 1000,
        "explicit": False,
        "external_ids": {"isrc": song.isrc},
        "disc_number": 1,
        "track_number": 1,
        "is_local": False,
        "is_playable": song.playable,
        **({} if song.playable else {"restrictions": {"reason": "market"}}),
        **({"linked_from": _reference("track", linked_from)} if linked_from else {}),
    }


def artist_json(name: str) -> dict[str, Any]:
    return _reference("artist", base62_id(f"artist {name}")) | {"name": name}


def _album_json(song: Song, artists: list[dict[str, Any]]) -> dict[str, Any]:
    precision = {4: "year", 7: "month", 10: "day"}[len(song.released)]
    return _reference("album", base62_id(f"album {song.album}")) | {
        "name": song.album,
        "album_type": "album",
        "total_tracks": 12,
        "available_markets": [],
        "images": [],
        "release_date": song.released,
        "release_date_precision": precision,
        "artists": artists,
    }


def episode_json() -> dict[str, Any]:
    """An EpisodeObject, such as people put on their playlists."""
    identifier = base62_id("episode")
    show = _reference("show", base62_id("show")) | {
        "available_markets": [],
        "copyrights": [],
        "description": "Two people talk.",
        "explicit": False,
        "html_description": "Two people talk.",
        "images": [],
        "is_externally_hosted": False,
        "languages": ["en"],
        "media_type": "audio",
        "name": "Long Conversations",
        "publisher": "Somebody",
        "total_episodes": 1,
    }
    return _reference("episode", identifier) | {
        "audio_preview_url": None,
        "description": "About rivers.",
        "duration_ms": 3_600_000,
        "explicit": False,
        "html_description": "About rivers.",
        "images": [],
        "is_externally_hosted": False,
        "is_playable": True,
        "languages": ["en"],
        "name": "Rivers, part one",
        "release_date": "2025-01-01",
        "release_date_precision": "day",
        "show": show,
    }


def local_file_json() -> dict[str, Any]:
    """A file of the listener's own on a playlist: Spotify sends nulls where it knows nothing."""
    return {
        "id": None,
        "type": "track",
        "uri": "spotify:local:Demo+Band::First+Take:93",
        "href": None,
        "name": "First Take",
        "album": {"name": "", "images": [], "id": None, "release_date": None},
        "artists": [{"name": "Demo Band", "id": None}],
        "duration_ms": 93_000,
        "explicit": False,
        "external_ids": {},
        "external_urls": {},
        "is_local": True,
    }


def _reference(kind: str, identifier: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": kind,
        "uri": f"spotify:{kind}:{identifier}",
        "href": f"{settings.SPOTIFY_API_URL}/v1/{kind}s/{identifier}",
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{identifier}"},
    }
