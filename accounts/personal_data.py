"""How other apps take part in export and deletion without being imported from here.

Each registers once, in its AppConfig.ready().
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from accounts.models import User

# A path inside the zip and what belongs there.
ExportedFile = tuple[str, bytes | BinaryIO]


@dataclass(frozen=True)
class Part:
    """What one app knows about people, and how to hand it over or forget it."""

    name: str
    export: Callable[[User], Iterable[ExportedFile]]
    erase: Callable[[User], None]
    erase_spotify: Callable[[User], None] | None = None
    erase_faces: Callable[[User], None] | None = None


_parts: dict[str, Part] = {}


def register(
    name: str,
    *,
    export: Callable[[User], Iterable[ExportedFile]],
    erase: Callable[[User], None],
    erase_spotify: Callable[[User], None] | None = None,
    erase_faces: Callable[[User], None] | None = None,
) -> None:
    """Add an app's part; `erase_spotify` removes only what was derived from Spotify, and
    `erase_faces` only what was read from faces.

    Erasers run inside the transaction that deletes the person (disconnects, withdraws consent),
    and the person's row is locked. Files therefore belong into transaction.on_commit.
    """
    _parts[name] = Part(name, export, erase, erase_spotify, erase_faces)


def parts() -> Iterator[Part]:
    yield from _parts.values()
