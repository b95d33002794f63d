"""The registry of models: versions with their files and figures, who did what, and shadow runs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from stories.models.stories import Story


def model_path(version: ModelVersion, _name: str) -> str:
    """Where a model file is stored: `models/<name>/<id>.keras`."""
    return f"models/{version.name}/{version.pk}.keras"


class ModelVersion(models.Model):
    """A trained model that may be served in the place of the shipped one of its name.

    Without a serving version, workers use the shipped model.
    """

    class Name(models.TextChoices):
        EMOTION = "emotion", "emotion"
        ACTION = "action", "action"
        CAPTION = "caption", "caption"

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        SHADOW = "shadow", "in shadow mode"
        SERVING = "serving", "serving"
        RETIRED = "retired", "retired"
        REFUSED = "refused", "refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=16, choices=Name.choices)
    version = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.CANDIDATE)
    file = models.FileField(upload_to=model_path, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    format_version = models.PositiveSmallIntegerField()
    classes: models.JSONField[Any, Any] = models.JSONField(default=list)
    # What the manifest says of a shipped model: calibration, thresholds.
    entry: models.JSONField[Any, Any] = models.JSONField(default=dict)
    card = models.TextField(blank=True)
    # The version of the export that it learned from.
    export = models.CharField(max_length=64, blank=True)
    # Paired with `compared_with`, {"public": …, "audit": …}, as ml.evaluation.paired has it; null
    # where nothing was measured.
    comparison: models.JSONField[Any, Any] = models.JSONField(default=dict)
    compared_with = models.CharField(max_length=64, blank=True)
    # The version that it replaced, to which taking back returns; null for the shipped model.
    replaced = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        default=timezone.now, editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
    )
    promoted_at = models.DateTimeField(null=True, blank=True)
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
    )
    # Why it was promoted although it may be worse.
    override_reason = models.TextField(blank=True)
    # Why it was refused, or why a worker couldn't load it last time.
    problem = models.TextField(blank=True)
    problem_at = models.DateTimeField(null=True, blank=True)
    # Photos that it has seen in shadow mode.
    shadow_photos = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name", "-created_at", "-id"]
        permissions = [("promote_models", "Can train, promote and take back models")]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="model_version_once"),
            models.UniqueConstraint(
                fields=["name"], name="model_serving_once", condition=Q(status="serving")
            ),
            models.UniqueConstraint(
                fields=["name"], name="model_shadow_once", condition=Q(status="shadow")
            ),
            models.CheckConstraint(
                condition=Q(name__in=["emotion", "action", "caption"]), name="model_name_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["candidate", "shadow", "serving", "retired", "refused"]),
                name="model_status_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "name"],
                name="model_in_use",
                condition=Q(status__in=["serving", "shadow"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ModelEvent(models.Model):
    """What was done with a model, by whom and why; append-only, which a trigger enforces."""

    class Action(models.TextChoices):
        QUEUED = "queued", "training queued"
        FAILED = "failed", "training failed"
        REGISTERED = "registered", "registered as a candidate"
        REFUSED = "refused", "refused"
        SHADOWED = "shadowed", "put into shadow mode"
        UNSHADOWED = "unshadowed", "taken out of shadow mode"
        PROMOTED = "promoted", "promoted"
        TAKEN_BACK = "taken_back", "taken back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=16)
    # The version, by its name, which outlives nothing else.
    version = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=16, choices=Action.choices)
    # Null for a command; forgotten with the account, by the database itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        null=True,
    )
    reason = models.TextField(blank=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        default=timezone.now, editable=False
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["-created_at"], name="model_event_log")]

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.action}"


class ShadowDifference(models.Model):
    """A photo about which a model in shadow mode and the serving one disagree."""

    version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="shadow_differences"
    )
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="shadow_differences")
    serving = models.CharField(max_length=40)
    shadow = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "story"], name="shadow_difference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.serving} → {self.shadow}"
