"""The history of tags: who changed which tag of a story, from what to what, and when."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from stories.models.stories import Story


class TagEvent(models.Model):
    """One change of a tag; append-only.

    A trigger refuses changes and deletions. The database itself deletes a story's events with the
    story, and forgets the actor with their account; see migration 0009.
    """

    class Source(models.TextChoices):
        MODEL = "model", "a later analysis"
        OWNER = "owner", "the owner"
        REVIEW = "review", "a review"
        UNDO = "undo", "an undone review"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    story = models.ForeignKey(
        Story, on_delete=models.DO_NOTHING, related_name="tag_events", db_constraint=False
    )
    # Null for the models, and after the person's account was deleted.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        related_name="tag_events",
        db_constraint=False,
        null=True,
    )
    source = models.CharField(max_length=16, choices=Source.choices)
    # "emotion", "action" or "mood" of the story; reviews also judge "face:0" and so on,
    # "missed_face", "no_face", "caption" and "quadrant".
    tag = models.CharField(max_length=16)
    before: models.JSONField[Any, Any] = models.JSONField(null=True)
    after: models.JSONField[Any, Any] = models.JSONField(null=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        default=timezone.now, editable=False
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["story", "-created_at"], name="tag_event_log")]
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=["model", "owner", "review", "undo"]),
                name="tag_event_source_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    tag__regex=r"^(emotion|action|mood|face:\d+|missed_face|no_face|caption|quadrant)$"
                ),
                name="tag_event_tag_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag} of story {self.story_id}"
