"""Registry for the export and deletion of personal data.

Each app registers its part once, in AppConfig.ready(), so that accounts imports no other app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

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


_parts: dict[str, Part] = {}


def register(
    name: str,
    *,
    export: Callable[[User], Iterable[ExportedFile]],
    erase: Callable[[User], None],
    erase_spotify: Callable[[User], None] | None = None,
    erase_faces: Callable[[User], None] | None = None,
    share: Callable[[User], None] | None = None,
) -> None:
    """Register an app's part.

    `erase_spotify` removes only what was derived from Spotify, `erase_faces` only what was read
    from faces. `share` follows a change of the user's `improve_consent`, whichever way it went.
    All run with the user's row locked, inside the transaction that deletes the user, disconnects
    Spotify or records the consent; delete files in transaction.on_commit.
    """
    _parts[name] = Part(name, export, erase, erase_spotify, erase_faces, share)


def parts() -> Iterator[Part]:
    yield from _parts.values()
