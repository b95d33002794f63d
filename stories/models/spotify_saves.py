"""Tracks that people save to their Spotify library and playlists, carried out by a worker."""

from __future__ import annotations

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class SpotifyPlaylist(models.Model):
    """A playlist that tracks are added to: one that Storify makes, or one that was picked."""

    STORIFY = "storify"
    MONTH = "%Y-%m"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="spotify_playlists"
    )
    key = models.CharField(max_length=40, help_text="storify, a month (2026-11), or Spotify's id")
    name = models.CharField(max_length=200)
    spotify_id = models.CharField(max_length=40, blank=True, help_text="Empty until it's made")
    claimed_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker began to make it"
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key"], name="spotify_playlist_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_made_here(self) -> bool:
        """Whether Storify makes it, so that a new one may take its place."""
        return self.key != self.spotify_id


def name_of_month(day: date) -> str:
    return f"Storify · {day:%B %Y}"


class SpotifySave(models.Model):
    """One track that should be in the library (without a playlist) or in a playlist, or no longer.

    A worker owns the row as long as `claim` is the value it wrote.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="spotify_saves"
    )
    spotify_id = models.CharField(max_length=22)
    playlist = models.ForeignKey(
        SpotifyPlaylist, null=True, blank=True, on_delete=models.CASCADE, related_name="saves"
    )
    wanted = models.BooleanField(help_text="False: it is to be removed")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    error = models.CharField(max_length=300, blank=True, help_text="Why it failed or waits")
    needs_permission = models.BooleanField(default=False)
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now, help_text="Not tried before")
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "spotify_id", "playlist"],
                name="spotify_save_once",
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], name="spotify_save_due", condition=Q(state="queued"))
        ]

    def __str__(self) -> str:
        return f"{self.spotify_id} in {self.place}"

    @property
    def place(self) -> str:
        """Where it goes, in words."""
        return f"“{self.playlist.name}”" if self.playlist else "your library"

    @property
    def to(self) -> str:
        """Where it goes, as the form and the API name it."""
        return self.playlist.key if self.playlist else "library"
