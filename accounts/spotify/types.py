"""Typed replies of the Spotify API, limited to the fields that Storify uses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class TopRange(StrEnum):
    """About four weeks, six months, and a year."""

    SHORT = "short_term"
    MEDIUM = "medium_term"
    LONG = "long_term"


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
    spotify_url: str
    isrc: str = ""
    is_playable: bool = True
    # The id that was saved or asked for, if Spotify answers with another release of the recording.
    linked_from: str = ""

    @property
    def uri(self) -> str:
        return track_uri(self.id)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SpotifyTrack":
        album = data.get("album") or {}
        return cls(
            id=str(data["id"]),
            title=str(data["name"]),
            artists=_names(data["artists"]),
            album=str(album.get("name") or ""),
            release_date=str(album.get("release_date") or ""),
            duration_ms=int(data["duration_ms"]),
            explicit=bool(data.get("explicit", False)),
            popularity=data.get("popularity"),
            spotify_url=_address(data, "track"),
            isrc=_isrc(data),
            is_playable=bool(data.get("is_playable", True)) and not data.get("restrictions"),
            linked_from=str((data.get("linked_from") or {}).get("id") or ""),
        )


@dataclass(frozen=True)
class SpotifyArtist:
    id: str
    name: str
    spotify_url: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SpotifyArtist":
        url = _address(data, "artist")
        return cls(id=str(data["id"]), name=str(data["name"]), spotify_url=url)


@dataclass(frozen=True)
class LibraryItem:
    """A track in somebody's library, with when it was added or played."""

    track: SpotifyTrack
    added_at: datetime | None


@dataclass(frozen=True)
class Playlist:
    id: str
    name: str
    spotify_url: str
    owner_id: str = ""
    n_items: int = 0
    is_own: bool = False
    is_public: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any], own_id: str = "") -> "Playlist":
        owner_id = str((data.get("owner") or {}).get("id") or "")
        return cls(
            id=str(data["id"]),
            name=str(data["name"]),
            spotify_url=_address(data, "playlist"),
            owner_id=owner_id,
            n_items=int((data.get("items") or {}).get("total") or 0),
            is_own=bool(owner_id) and owner_id == own_id,
            is_public=bool(data.get("public")),
        )


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list.

    `total` counts everything in the list, so more than the pages hold: episodes, local files and
    tracks that are gone are left out.
    """

    items: tuple[T, ...]
    total: int
    next_offset: int | None

    @classmethod
    def from_json(
        cls, data: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], T | None]
    ) -> "Page[T]":
        return cls(
            items=readable(data["items"], parse),
            total=int(data["total"]),
            # By the limit, not by what came: a page may be short in the middle of a list.
            next_offset=int(data["offset"]) + max(1, int(data["limit"])) if data["next"] else None,
        )


@dataclass(frozen=True)
class Recent:
    """Recently played tracks, newest first; `before` asks for older ones, None at the end."""

    items: tuple[LibraryItem, ...]
    before: datetime | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recent":
        oldest = (data.get("cursors") or {}).get("before") if data.get("next") else None
        return cls(
            items=readable(data["items"], lambda item: library_item(item, "track", "played_at")),
            before=datetime.fromtimestamp(int(oldest) / 1000, UTC) if oldest else None,
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


def readable(raw: Iterable[Any], parse: Callable[[Mapping[str, Any]], T | None]) -> tuple[T, ...]:
    """What can be read of a page; one strange item never fails the rest."""
    return tuple(item for one in raw if (item := _read(one, parse)) is not None)


def _read(data: Any, parse: Callable[[Mapping[str, Any]], T | None]) -> T | None:
    try:
        return parse(data)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError):
        return None


def playable_track(data: Mapping[str, Any]) -> SpotifyTrack | None:
    """The track; None for an episode, a local file, or one that Spotify no longer names."""
    if data.get("type", "track") != "track" or data.get("is_local") or not data["id"]:
        return None
    return SpotifyTrack.from_json(data) if data["name"] else None


def library_item(
    data: Mapping[str, Any], key: str = "track", at: str = "added_at"
) -> LibraryItem | None:
    """An item of a library, a playlist or the history; None as for `playable_track`."""
    track = playable_track(data[key])
    return LibraryItem(track, _moment(data.get(at))) if track else None


def _moment(text: str | None) -> datetime | None:
    """Tracks put on old playlists carry no date, or that of 1970."""
    moment = datetime.fromisoformat(text) if text else None
    return moment if moment and moment.tzinfo and moment.year > 1970 else None


def _names(artists: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(str(artist["name"]) for artist in artists if artist.get("name"))


def _address(data: Mapping[str, Any], kind: str) -> str:
    """The link back, which has to stand beside everything that came from Spotify."""
    given = (data.get("external_urls") or {}).get("spotify")
    return str(given or f"https://open.spotify.com/{kind}/{data['id']}")


def _isrc(data: Mapping[str, Any]) -> str:
    """The recording's ISRC, 12 letters and digits; some labels write it with dashes."""
    code = str((data.get("external_ids") or {}).get("isrc") or "")
    return code.replace("-", "").strip().upper()
