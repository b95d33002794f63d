"""Answers to the survey."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

MUSIC = "music"
"""The survey's only question that isn't about an action."""

MUSIC_LEVELS = ("not at all", "a little", "somewhat", "very", "extremely")


class SurveyAnswer(models.Model):
    """One person's answer to one question of the survey, about an action or MUSIC."""

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
