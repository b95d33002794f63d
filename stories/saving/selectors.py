"""Queries about saves to Spotify."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from stories.models import SpotifyPlaylist, SpotifySave

# A call takes seconds; a worker that holds a save for longer is dead.
STALE_AFTER = timedelta(minutes=2)


def stale_before() -> datetime:
    """When a claim must have been taken to count as lost."""
    return timezone.now() - STALE_AFTER


def saves_of(user: User, spotify_id: str) -> list[SpotifySave]:
    """Where the person saves this track, the library first."""
    asked = SpotifySave.objects.filter(user=user, spotify_id=spotify_id)
    return list(
        asked.select_related("playlist").order_by(F("playlist__name").asc(nulls_first=True), "pk")
    )


def due_saves() -> QuerySet[SpotifySave]:
    """Saves whose time has come and that no worker holds."""
    free = Q(claim=None) | Q(claimed_at__lt=stale_before())
    queued = SpotifySave.State.QUEUED
    return SpotifySave.objects.filter(free, state=queued, due_at__lte=timezone.now())


def last_playlist_key(user: User) -> str:
    """The playlist that the person added to last, or Storify's own."""
    added = SpotifySave.objects.filter(user=user, wanted=True).exclude(playlist=None)
    last = added.order_by("-asked_at").values_list("playlist__key", flat=True).first()
    return last or SpotifyPlaylist.STORIFY
