"""Registry for the export and deletion of personal data.

Each app registers its part once, in AppConfig.ready(), so that accounts imports no other app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from accounts.spotify.scopes import Purpose

if TYPE_CHECKING:
    from accounts.models import User

# A path inside the zip file and its content.
ExportedFile = tuple[str, bytes | BinaryIO]


@dataclass(frozen=True)
class Part:
    """How one app exports and erases what it stores about a user."""

    name: str
    export: Callable[[User], Iterable[ExportedFile]]
    erase: Callable[[User], None]
    erase_spotify: Callable[[User], None] | None = None
    erase_faces: Callable[[User], None] | None = None
    share: Callable[[User], None] | None = None
    spotify_allowed: Callable[[User, Purpose], None] | None = None
    spotify_withdrawn: Callable[[User, Purpose], None] | None = None
    spotify_renewed: Callable[[User, Purpose], None] | None = None


_parts: dict[str, Part] = {}


def register(
    name: str,
    *,
    export: Callable[[User], Iterable[ExportedFile]],
    erase: Callable[[User], None],
    erase_spotify: Callable[[User], None] | None = None,
    erase_faces: Callable[[User], None] | None = None,
    share: Callable[[User], None] | None = None,
    spotify_allowed: Callable[[User, Purpose], None] | None = None,
    spotify_withdrawn: Callable[[User, Purpose], None] | None = None,
    spotify_renewed: Callable[[User, Purpose], None] | None = None,
) -> None:
    """Register an app's part.

    `erase_spotify` removes only what was derived from Spotify, `erase_faces` only what was read
    from faces. `share` follows a change of the user's `improve_consent`, whichever way it went.
    `spotify_allowed` may start what the user has just allowed (with transaction.on_commit), and
    `spotify_withdrawn` removes what was read or kept for the purpose that they took back;
    `spotify_renewed` goes on with what stopped because an allowed purpose could no longer be used.
    All run with the user's row locked, inside the transaction that deletes the user, connects or
    disconnects Spotify, allows or withdraws, or records the consent; delete files in
    transaction.on_commit.
    """
    _parts[name] = Part(
        name,
        export,
        erase,
        erase_spotify,
        erase_faces,
        share,
        spotify_allowed,
        spotify_withdrawn,
        spotify_renewed,
    )


def parts() -> Iterator[Part]:
    """The registered parts, in the order of the apps."""
    yield from _parts.values()
