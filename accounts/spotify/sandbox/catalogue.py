"""A few made-up tracks, in the format of Spotify's API."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings


def base62_id(text: str) -> str:
    """An identifier like Spotify's, 22 letters and digits, derived from the text."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(alphabet[byte % 62] for byte in hashlib.sha256(text.encode()).digest()[:22])


@dataclass(frozen=True)
class SandboxTrack:
    title: str
    artist: str
    album: str
    released: str
    seconds: int

    @property
    def id(self) -> str:
        return base62_id(f"track {self.title}")


TRACKS = {
    track.id: track
    for track in (
        SandboxTrack("Paper Lanterns", "The Slow Tram", "Night Depot", "2021-03-12", 214),
        SandboxTrack("Kitchen Radio", "The Slow Tram", "Night Depot", "2021-03-12", 187),
        SandboxTrack("Low Tide Letter", "Anneke Brandt", "Saltwater Hours", "2019-09-06", 243),
        SandboxTrack("A Coat for Rain", "Anneke Brandt", "Saltwater Hours", "2019-09-06", 201),
        SandboxTrack("Run the Embankment", "Ferrous & Gold", "Pulse Width", "2024-05-31", 176),
        SandboxTrack("Neon Bakery", "Ferrous & Gold", "Pulse Width", "2024-05-31", 195),
        SandboxTrack("Seven Dancing Cousins", "Orkestar Polovina", "Big Table", "2018-07-20", 231),
        SandboxTrack("Grandmother's Waltz", "Orkestar Polovina", "Big Table", "2018-07-20", 258),
        SandboxTrack("Static in the Choir", "Hollow Meridian", "Grey Signal", "2023-11-03", 322),
        SandboxTrack("Teeth", "Hollow Meridian", "Grey Signal", "2023-11-03", 168),
        SandboxTrack("Sunday, Undecided", "Lio Marrow", "Soft Furniture", "2025-02-14", 209),
        SandboxTrack("Sleeping on the Ferry", "Lio Marrow", "Soft Furniture", "2025-02-14", 274),
    )
}


def search(query: str) -> list[SandboxTrack]:
    """Tracks that contain at least one of the words, best match first."""
    words = query.lower().split()

    def hits(track: SandboxTrack) -> int:
        text = f"{track.title} {track.artist} {track.album}".lower()
        return sum(word in text for word in words)

    return sorted((track for track in TRACKS.values() if hits(track)), key=hits, reverse=True)


def track_json(track: SandboxTrack) -> dict[str, Any]:
    """A TrackObject without `popularity`, which apps in development mode don't get."""
    artists = [_reference("artist", track.artist) | {"name": track.artist}]
    album = _reference("album", track.album) | {
        "name": track.album,
        "album_type": "album",
        "total_tracks": sum(other.album == track.album for other in TRACKS.values()),
        "available_markets": [],
        "images": [],
        "release_date": track.released,
        "release_date_precision": "day",
        "artists": artists,
    }
    return _reference("track", track.title) | {
        "name": track.title,
        "album": album,
        "artists": artists,
        "duration_ms": track.seconds * 1000,
        "explicit": False,
        "disc_number": 1,
        "track_number": 1,
        "is_local": False,
    }


def _reference(kind: str, name: str) -> dict[str, Any]:
    identifier = base62_id(f"{kind} {name}")
    return {
        "id": identifier,
        "type": kind,
        "uri": f"spotify:{kind}:{identifier}",
        "href": f"{settings.SPOTIFY_API_URL}/v1/{kind}s/{identifier}",
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{identifier}"},
    }
