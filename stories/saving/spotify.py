"""What Spotify says about a person's library and playlists, remembered for a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache

from accounts.models import SpotifyAccount, User
from accounts.selectors import spotify_account
from accounts.spotify import scopes
from accounts.spotify.client import Spotify, SpotifyError
from accounts.spotify.scopes import Purpose
from accounts.spotify.types import Playlist

PLAYLISTS_AT_ONCE = 50
MOST_PLAYLISTS = 200
PLAYLISTS_FOR = 5 * 60  # seconds
CONTAINS_FOR = 60
AWAY_FOR = 30
_AWAY = "stories:spotify-away:"

T = TypeVar("T")


@dataclass(frozen=True)
class Permission:
    """Whether a person connected Spotify, and whether they let Storify save there."""

    account: SpotifyAccount | None
    may_save: bool


def permission(user: User) -> Permission:
    account = spotify_account(user)
    usable = account is not None and not account.needs_sign_in
    may_save = account is not None and usable and scopes.has(account, Purpose.SAVE)
    return Permission(account if usable else None, may_save)


def is_in_library(account: SpotifyAccount, spotify_id: str) -> bool | None:
    """Whether Spotify has the track in the person's library; None if it can't be asked."""

    def ask() -> bool:
        with Spotify(account) as spotify:
            return spotify.library_contains([spotify_id])[0]

    # A page that only wants to know doesn't wait for Spotify again and again.
    if cache.get(f"{_AWAY}{account.pk}"):
        return None
    try:
        return _remembered(_contains_key(account, spotify_id), CONTAINS_FOR, ask)
    except SpotifyError:
        cache.set(f"{_AWAY}{account.pk}", True, AWAY_FOR)
        return None


def forget_is_in_library(account: SpotifyAccount, spotify_id: str) -> None:
    cache.delete(_contains_key(account, spotify_id))


def own_playlists(account: SpotifyAccount) -> list[Playlist]:
    """The playlists that Storify may add to for the person. Raises SpotifyError."""

    def ask() -> list[Playlist]:
        with Spotify(account) as spotify:
            return read_own_playlists(spotify)

    return _remembered(_playlists_key(account), PLAYLISTS_FOR, ask)


def read_own_playlists(spotify: Spotify) -> list[Playlist]:
    """The person's private playlists; Storify has no permission to change those in public."""
    found: list[Playlist] = []
    offset: int | None = 0
    while offset is not None and offset < MOST_PLAYLISTS:
        page = spotify.playlists(offset=offset, limit=PLAYLISTS_AT_ONCE)
        found += [one for one in page.items if one.is_own and not one.is_public]
        offset = page.next_offset
    return found


def forget_playlists(account: SpotifyAccount) -> None:
    cache.delete(_playlists_key(account))


def _remembered(key: str, seconds: int, ask: Callable[[], T]) -> T:
    found: T | None = cache.get(key)
    if found is None:
        found = ask()
        cache.set(key, found, seconds)
    return found


def _contains_key(account: SpotifyAccount, spotify_id: str) -> str:
    return f"stories:in-library:{account.pk}:{spotify_id}"


def _playlists_key(account: SpotifyAccount) -> str:
    return f"stories:playlists:{account.pk}"
