"""Factories of private libraries."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from recommender.library.store import LIFETIME, Found, store_tracks
from recommender.models import Track
from tests.factories import make_track

_numbers = count(1)


def make_spotify_id() -> str:
    """An id that looks like Spotify's and was never used before."""
    return f"{next(_numbers):022d}"


def make_own_track(user: User, source: str = "saved", **fields: Any) -> Track:
    """A track of this person's library, with average mood and sound; fields as in make_track."""
    spotify = {"source": Track.Source.SPOTIFY, "source_id": make_spotify_id()}
    track = make_track(**{**spotify, **fields})
    hold(user, track, source)
    return track


def hold(user: User, track: Track, source: str = "saved") -> None:
    """Put a private track into this person's library."""
    store_tracks(
        user=user,
        source=source,
        found=[Found(track.source_id, track.title, track.artists)],
        expires_at=timezone.now() + LIFETIME,
    )
    track.refresh_from_db()
