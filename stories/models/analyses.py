"""Analyses: what the models returned for a story."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Random
from django.utils import timezone

from ml.mood import MoodTarget
from stories.models.stories import Story


class Analysis(models.Model):
    """The output of the models, unchanged, and the owner's corrections beside it.

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
    # How long each stage took, {stage: seconds}; "waiting" is from the queue to the worker.
    stage_seconds: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Uniform in [0, 1), drawn once: the audit sample is every story below its share.
    audit_draw = models.FloatField(db_default=Random(), editable=False)

    # A label, or "none" for no emotion or action; null if the owner didn't correct it.
    corrected_emotion = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001
    corrected_action = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001

    mood_valence = models.FloatField()
    mood_energy = models.FloatField()
    mood_spread: models.JSONField[Any, Any] = models.JSONField()
    mood_set_by_hand = models.BooleanField(default=False)
    # What a task has yet to recompute from the columns above.
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
            models.Index(fields=["created_at"], name="analysis_by_time"),
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
