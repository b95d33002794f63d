"""Typed replies of the Spotify API, limited to the fields that Storify uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Profile:
    account_id: str
    id: str
    display_name: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Profile":
        # account_id is immutable; some apps don't get it yet.
        return cls(
            account_id=str(data.get("account_id") or data["id"]),
            id=str(data["id"]),
            display_name=str(data.get("display_name") or ""),
        )


@dataclass(frozen=True)
class SpotifyTrack:
    id: str
    title: str
    artists: tuple[str, ...]
    album: str
    release_date: str
    duration_ms: int
    explicit: bool
    popularity: int | None
    artwork_url: str
    spotify_url: str

    @property
    def uri(self) -> str:
        return track_uri(self.id)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SpotifyTrack":
        album = data["album"]
        images = album.get("images") or []
        return cls(
            id=str(data["id"]),
            title=str(data["name"]),
            artists=tuple(str(artist["name"]) for artist in data["artists"]),
            album=str(album["name"]),
            release_date=str(album.get("release_date") or ""),
            duration_ms=int(data["duration_ms"]),
            explicit=bool(data.get("explicit", False)),
            popularity=data.get("popularity"),
            artwork_url=str(images[0]["url"]) if images else "",
            spotify_url=str(data["external_urls"]["spotify"]),
        )


@dataclass(frozen=True)
class Playlist:
    id: str
    name: str
    spotify_url: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Playlist":
        return cls(
            id=str(data["id"]),
            name=str(data["name"]),
            spotify_url=str(data["external_urls"]["spotify"]),
        )


@dataclass(frozen=True)
class AudioFeatures:
    """Audio features in Spotify's ranges.

    In [0, 1], except key (pitch class), loudness (dB), mode (0 or 1), tempo (BPM) and
    time_signature.
    """

    id: str
    danceability: float
    energy: float
    valence: float
    key: int
    loudness: float
    mode: int
    speechiness: float
    acousticness: float
    instrumentalness: float
    liveness: float
    tempo: float
    time_signature: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AudioFeatures":
        return cls(
            id=str(data["id"]),
            danceability=float(data["danceability"]),
            energy=float(data["energy"]),
            valence=float(data["valence"]),
            key=int(data["key"]),
            loudness=float(data["loudness"]),
            mode=int(data["mode"]),
            speechiness=float(data["speechiness"]),
            acousticness=float(data["acousticness"]),
            instrumentalness=float(data["instrumentalness"]),
            liveness=float(data["liveness"]),
            tempo=float(data["tempo"]),
            time_signature=int(data["time_signature"]),
        )


def track_uri(track_id: str) -> str:
    return f"spotify:track:{track_id}"
