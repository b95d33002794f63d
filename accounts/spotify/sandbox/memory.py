"""State of the sandbox in the cache: codes, tokens, libraries and playlists."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core.cache import cache

from accounts.spotify.sandbox import libraries
from accounts.spotify.sandbox.listeners import LISTENERS

CODE_SECONDS = 10 * 60
ACCESS_SECONDS = 60 * 60
# Spotify's refresh tokens expire after six months.
REFRESH_SECONDS = 182 * 24 * 60 * 60


@dataclass(frozen=True)
class Code:
    listener: str
    client_id: str
    redirect_uri: str
    challenge: str
    scope: str


@dataclass(frozen=True)
class Permission:
    listener: str
    scope: str


# A URI and when it was added.
Entry = tuple[str, str]


@dataclass
class Playlist:
    id: str
    name: str
    description: str
    public: bool
    owner: str
    entries: list[Entry] = field(default_factory=list)
    version: int = 0

    @property
    def uris(self) -> list[str]:
        return [uri for uri, _ in self.entries]

    @property
    def snapshot_id(self) -> str:
        return f"{self.id}-{self.version}"


def _key(kind: str, name: str) -> str:
    return f"sandbox:{kind}:{name}"


def _put(kind: str, name: str, value: Any, seconds: int | None) -> str:
    cache.set(_key(kind, name), asdict(value), timeout=seconds)
    return name


def keep_code(code: Code) -> str:
    return _put("code", secrets.token_urlsafe(24), code, CODE_SECONDS)


def take_code(plain: str) -> Code | None:
    """The code's details, once; None for a used or unknown code."""
    stored = cache.get(_key("code", plain))
    if stored is None or not cache.delete(_key("code", plain)):
        return None
    return Code(**stored)


def keep_access(permission: Permission) -> str:
    return _put("access", "BQ" + secrets.token_urlsafe(24), permission, ACCESS_SECONDS)


def find_access(plain: str) -> Permission | None:
    stored = cache.get(_key("access", plain))
    return Permission(**stored) if stored else None


def keep_refresh(permission: Permission) -> str:
    return _put("refresh", "AQ" + secrets.token_urlsafe(24), permission, REFRESH_SECONDS)


def find_refresh(plain: str) -> Permission | None:
    stored = cache.get(_key("refresh", plain))
    return Permission(**stored) if stored else None


def forget_refresh(plain: str) -> None:
    cache.delete(_key("refresh", plain))


def library(listener: str) -> list[str]:
    """The URIs in a library, newest first."""
    return [uri for uri, _ in entries(listener)]


def entries(listener: str) -> list[Entry]:
    stored = cache.get(_key("library", listener))
    return libraries.saved(LISTENERS[listener]) if stored is None else [*map(tuple, stored)]


def keep_library(listener: str, kept: list[Entry]) -> None:
    cache.set(_key("library", listener), kept, timeout=None)


def playlists(listener: str) -> list[Playlist]:
    """The listener's playlists, newest first, and those they follow."""
    stored = cache.get(_key("playlists", listener))
    own = [one.id for one in libraries.playlists(LISTENERS[listener])]
    found = (find_playlist(identifier) for identifier in (own if stored is None else stored))
    return [one for one in found if one]


def keep_playlist(playlist: Playlist) -> None:
    known = [one.id for one in playlists(playlist.owner)]
    if playlist.id not in known:
        cache.set(_key("playlists", playlist.owner), [playlist.id, *known], timeout=None)
    playlist.version += 1
    _put("playlist", playlist.id, playlist, None)


def find_playlist(identifier: str) -> Playlist | None:
    stored = cache.get(_key("playlist", identifier))
    if stored:
        return Playlist(**{**stored, "entries": [*map(tuple, stored["entries"])]})
    return _first_playlists().get(identifier)


def _first_playlists() -> dict[str, Playlist]:
    """The playlists that are there from the start."""
    return {
        one.id: Playlist(
            one.id, one.name, one.description, one.public, owner=one.owner, entries=[*one.entries]
        )
        for listener in LISTENERS.values()
        for one in libraries.playlists(listener)
    }


def count_call(listener: str) -> int:
    """How many calls the listener's app has made, this one included."""
    cache.add(_key("calls", listener), 0, timeout=None)
    return int(cache.incr(_key("calls", listener)))


def forget_music(listener: str) -> None:
    """Put library and playlists back as they were at the start."""
    for playlist in playlists(listener):
        if playlist.owner == listener:
            cache.delete(_key("playlist", playlist.id))
    cache.delete_many([_key("library", listener), _key("playlists", listener)])
