"""Stories, their media, analyses and corrections, and answers to the survey."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ml.mood import MoodTarget

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
    # The step of the analysis that runs now, one of ml.types.STAGES; "" outside of it.
    stage = models.CharField(max_length=16, blank=True, default="")
    # Shown to the owner: why it failed or, while queued, why it takes longer than usual.
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
    """A storage path that keeps only the extension; videos stored before 2.0 may be "webm"."""
    return f"videos/{video.story_id.hex[:2]}/{video.story_id}.{filename.rpartition('.')[2]}"


def source_path(video: Video, _filename: str) -> str:
    return f"sources/{video.story_id.hex[:2]}/{video.story_id}.upload"


class Video(models.Model):
    """The moving picture of a story, silent and without metadata; its poster is the photo.

    It begins as `source`, the upload as it came, which is served to nobody. A worker encodes it
    anew as `file` and deletes the source, or says in `error` why it cannot and deletes it, too.
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


class Analysis(models.Model):
    """What the models saw, kept as they said it, and beside it what the owner corrected.

    Probabilities are {class: p}; null where there was nothing to judge (no face, no consent).
    """

    class Outdated(models.TextChoices):
        NOTHING = "", "nothing"
        MOOD = "mood", "the mood and the suggestions"
        SUGGESTIONS = "suggestions", "the suggestions"

    story = models.OneToOneField(
        Story, on_delete=models.CASCADE, related_name="analysis", primary_key=True
    )
    emotion: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    # The emotion, or "uncertain"; null without a face, and in analyses older than the field.
    emotion_label = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001
    emotion_set: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    action: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    action_label = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001
    intensity: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    caption: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    # Gaussians as ml.mood writes them; null in analyses older than these fields.
    caption_mood: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    scene: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    faces: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    # Of a video, in its order: {"at": seconds, "valence", "energy"}; a photo has no moments.
    moments: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    versions: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # A label, or "none" for "nothing of the kind"; null where the owner left it as it was.
    corrected_emotion = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001
    corrected_action = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001

    mood_valence = models.FloatField()
    mood_energy = models.FloatField()
    mood_spread: models.JSONField[Any, Any] = models.JSONField()
    mood_set_by_hand = models.BooleanField(default=False)
    # What a task still has to recompute after the columns above changed.
    outdated = models.CharField(
        max_length=16, blank=True, choices=Outdated.choices, default=Outdated.NOTHING
    )

    story_id: uuid.UUID

    class Meta:
        verbose_name_plural = "analyses"
        indexes = [
            models.Index(
                fields=["outdated", "-created_at"],
                name="analysis_outdated",
                condition=~Q(outdated=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(mood_valence__range=(0, 1)) & Q(mood_energy__range=(0, 1)),
                name="analysis_mood_in_plane",
            ),
        ]

    def __str__(self) -> str:
        return f"analysis of story {self.story_id}"

    def set_mood(self, mood: MoodTarget) -> None:
        stored = mood.to_json()
        self.mood_valence, self.mood_energy = stored["valence"], stored["energy"]
        self.mood_spread = stored["spread"]


class Correction(models.Model):
    """One correction by the owner, logged for staff and for later training."""

    class Kind(models.TextChoices):
        EMOTION = "emotion", "emotion"
        ACTION = "action", "action"
        MOOD = "mood", "mood"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="corrections")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="corrections"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    before: models.JSONField[Any, Any] = models.JSONField(null=True)
    after: models.JSONField[Any, Any] = models.JSONField(null=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        default=timezone.now, editable=False
    )

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["story", "-created_at"], name="correction_log")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["emotion", "action", "mood"]), name="correction_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of story {self.story_id}"


MUSIC = "music"
"""The one question of the survey that is not about an action."""

MUSIC_LEVELS = ("not at all", "a little", "somewhat", "very", "extremely")


class SurveyAnswer(models.Model):
    """What one person answers to one question of the survey: an action's level, or MUSIC."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="survey_answers"
    )
    question = models.CharField(max_length=40)
    level = models.CharField(max_length=16)
    answered_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "question"], name="survey_answer_once"),
        ]
        indexes = [models.Index(fields=["question", "level"], name="survey_counts")]

    def __str__(self) -> str:
        return f"{self.question}: {self.level}"
