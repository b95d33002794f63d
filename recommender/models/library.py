"""People's own music: private, expiring lists of tracks, and how far reading them has come."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from recommender.models.tracks import Track


class LibraryTrack(models.Model):
    """A track of one person's own music, and where it was found.

    Mood and song are copied from the track, so that ranking finds a person's candidates without
    visiting the tracks.
    """

    class Source(models.TextChoices):
        SAVED = "saved", "Saved on Spotify"
        TOP = "top", "Among the most played"
        RECENT = "recent", "Played lately"
        PLAYLIST = "playlist", "In an own playlist"
        IMPORT = "import", "In an imported file"
        RECOMMENDED = "recommended", "Recommended for the person by ReccoBeats"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="library",
        db_index=False,
    )
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="libraries")
    source = models.CharField(max_length=12, choices=Source.choices)
    range = models.CharField(
        max_length=30, blank=True, help_text="Of top tracks the time range, of a playlist its id"
    )
    rank = models.PositiveIntegerField(null=True, help_text="From 1, as the source orders them")
    added_at = models.DateTimeField(null=True, help_text="When it was saved or played, if known")
    expires_at = models.DateTimeField()
    valence = models.FloatField(null=True)
    energy = models.FloatField(null=True)
    song_key = models.CharField(max_length=32)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "track", "source", "range"], name="library_track_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["user"],
                include=["track", "source", "valence", "energy", "expires_at"],
                name="library_mood",
            ),
            models.Index(fields=["user", "song_key"], name="library_song"),
            models.Index(fields=["expires_at"], name="library_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.track_id} of {self.user_id}: {self.source}"


class LibrarySync(models.Model):
    """How far a person's library has been read from Spotify, and when it goes on."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        READING = "reading", "Reading"
        WAITING = "waiting", "Goes on later"
        DONE = "done", "Up to date"
        FAILED = "failed", "Needs the person"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="library_sync",
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    cursor = models.JSONField(default=dict, help_text="The step and the page within it")
    n_read = models.PositiveIntegerField(default=0, help_text="Tracks stored by this pass")
    n_total = models.PositiveIntegerField(
        default=0, help_text="Tracks in the lists that this pass has begun to read"
    )
    n_skipped = models.PositiveIntegerField(
        default=0, help_text="Episodes, local files and tracks that can't be played"
    )
    n_calls = models.PositiveIntegerField(default=0, help_text="Pages that this pass asked for")
    saved_limit = models.PositiveIntegerField(
        default=500, help_text="How many of the newest saved tracks to read"
    )
    started_at = models.DateTimeField(default=timezone.now, help_text="When this pass began")
    claimed_at = models.DateTimeField(null=True, help_text="A worker's hold on it")
    next_at = models.DateTimeField(null=True, help_text="When it goes on, or is refreshed")
    error = models.TextField(blank=True, help_text="Why it waits or failed, for the person")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], name="library_sync_next"),
        ]

    def __str__(self) -> str:
        return f"library of {self.user_id}: {self.state}"


class LibraryImport(models.Model):
    """A file with somebody's own music, on its way into their library."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        READING = "reading", "Reading"
        DONE = "done", "Imported"
        FAILED = "failed", "Not readable"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="library_imports"
    )
    name = models.CharField(max_length=200, help_text="As the person's file is called")
    file = models.FileField(
        upload_to="library-imports/", blank=True, help_text="Deleted as soon as it's read"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    report = models.JSONField(default=dict, help_text="What became of its tracks")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker last showed that it's reading it"
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How many workers have begun to read it"
    )

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"import {self.pk} of {self.user_id}: {self.state}"
