"""What Storify asks Spotify for, and when: sign-in asks for no scope, each purpose for its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import SpotifyAccount


class Purpose(StrEnum):
    """Something that a person can allow, and take back, by itself."""

    LIBRARY = "library"
    SAVE = "save"


SCOPES: Mapping[Purpose, frozenset[str]] = {
    Purpose.LIBRARY: frozenset(
        {
            "user-library-read",
            "user-top-read",
            "user-read-recently-played",
            "playlist-read-private",
        }
    ),
    # Reading, too: to show what is saved already, and to list the playlists to choose from. Public
    # ones aren't among them: changing those takes another scope.
    Purpose.SAVE: frozenset(
        {
            "user-library-modify",
            "user-library-read",
            "playlist-modify-private",
            "playlist-read-private",
        }
    ),
}


def needed_for(purposes: Iterable[str]) -> list[str]:
    """The scopes to ask for, sorted; none without a purpose."""
    return sorted(set().union(*(SCOPES[Purpose(purpose)] for purpose in purposes)))


def covers(granted: str | None, purpose: Purpose) -> bool:
    """Whether the scopes, separated by spaces as Spotify names them, are enough."""
    return SCOPES[purpose] <= set((granted or "").split())


def has(account: SpotifyAccount, purpose: Purpose) -> bool:
    """Whether the person agreed to the purpose, didn't take it back, and Spotify granted it."""
    return purpose in account.purposes and covers(account.scopes, purpose)
