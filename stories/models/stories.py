"""Stories, their photos and videos."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

MAX_CAPTION = 1000


class Story(models.Model):
    """One photo with a caption, on its way from upload to suggestions."""

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting"
        ANALYSING = "analysing", "being analysed"
        READY = "ready", "ready"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stories"
    )
    caption = models.TextField(blank=True, max_length=MAX_CAPTION)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    # The current stage of the analysis, one of ml.types.STAGES; "" unless it's running.
    stage = models.CharField(max_length=16, blank=True, default="")
    # The stage at which a failed story failed; "" if it failed before the first.
    failed_stage = models.CharField(max_length=16, blank=True, default="")
    # Shown to the owner: why the story failed or, while it's queued, why it's delayed.
    error = models.CharField(max_length=300, blank=True, default="")

    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    upload_digest = models.CharField(max_length=64, blank=True, default="", editable=False)

    # A worker owns a story as long as `claim` is the value it wrote.
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When the broker last accepted the message; null if it never did.
    enqueued_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "stories"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="story_history"),
            models.Index(
                fields=["status", "claimed_at"],
                name="story_unfinished",
                condition=Q(status__in=["queued", "analysing"]),
            ),
            models.Index(fields=["created_at"], name="story_failed", condition=Q(status="failed")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="story_once_per_idempotency_key"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "analysing", "ready", "failed"]),
                name="story_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"story {self.id}"

    @property
    def is_finished(self) -> bool:
        return self.status in {self.Status.READY, self.Status.FAILED}


def photo_path(photo: Photo, _filename: str) -> str:
    """A storage path that ignores the name of the uploaded file."""
    return f"photos/{photo.story_id.hex[:2]}/{photo.story_id}.jpg"


def thumbnail_path(photo: Photo, _filename: str) -> str:
    return f"thumbnails/{photo.story_id.hex[:2]}/{photo.story_id}.jpg"


class Photo(models.Model):
    """The cleaned photo, or a frame of the video: upright, without metadata, always a JPEG."""

    story = models.OneToOneField(
        Story, on_delete=models.CASCADE, related_name="photo", primary_key=True
    )
    file = models.FileField(upload_to=photo_path, max_length=200)
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    story_id: uuid.UUID

    def __str__(self) -> str:
        return f"photo of story {self.story_id}"


def video_path(video: Video, filename: str) -> str:
    """A storage path that keeps only the extension; old videos may be "webm"."""
    return f"videos/{video.story_id.hex[:2]}/{video.story_id}.{filename.rpartition('.')[2]}"


def source_path(video: Video, _filename: str) -> str:
    return f"sources/{video.story_id.hex[:2]}/{video.story_id}.upload"


class Video(models.Model):
    """The video of a story, without sound and metadata; its poster is the photo.

    `source` is the upload, which is served to nobody. A worker encodes it as `file`, or says in
    `error` why it can't, and deletes the source.
    """

    story = models.OneToOneField(
        Story, on_delete=models.CASCADE, related_name="video", primary_key=True
    )
    file = models.FileField(upload_to=video_path, max_length=200, blank=True)
    source = models.FileField(upload_to=source_path, max_length=200, blank=True)
    seconds = models.FloatField()
    # Shown to the owner.
    error = models.CharField(max_length=300, blank=True, default="")

    # A worker owns a waiting video as long as `claim` is the value it wrote.
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    story_id: uuid.UUID

    class Meta:
        indexes = [
            models.Index(fields=["claimed_at"], name="video_waiting", condition=~Q(source="")),
        ]

    def __str__(self) -> str:
        return f"video of story {self.story_id}"

    @property
    def kind(self) -> str:
        """ "mp4", or "webm" for an old one."""
        return str(self.file.name).rpartition(".")[2]
