"""What a file says about one track."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A track of somebody's music; without an id it's found by recording or by song."""

    kind: str
    """Which list it was in: library, playlists, history or table."""
    title: str
    artists: tuple[str, ...]
    spotify_id: str = ""
    isrc: str = ""
    album: str = ""
    added_at: datetime | None = None
