"""State of the sandbox in the cache: codes, tokens, libraries and playlists."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core.cache import cache

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


@dataclass
class Playlist:
    id: str
    name: str
    description: str
    public: bool
    owner: str
    uris: list[str] = field(default_factory=list)

    @property
    def snapshot_id(self) -> str:
        return f"{self.id}-{len(self.uris)}"


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
    return list(cache.get(_key("library", listener), []))


def keep_library(listener: str, uris: list[str]) -> None:
    cache.set(_key("library", listener), uris, timeout=None)


def keep_playlist(playlist: Playlist) -> None:
    _put("playlist", playlist.id, playlist, None)


def find_playlist(identifier: str) -> Playlist | None:
    stored = cache.get(_key("playlist", identifier))
    return Playlist(**stored) if stored else None
