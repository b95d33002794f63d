"""What staff review: items in queues, and the reviews of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from stories.models.stories import Story


class Reason(models.TextChoices):
    """Why a story is to be reviewed: the name of its queue."""

    AUDIT = "audit", "random audit"
    UNCERTAIN = "uncertain", "least certain"
    DISAGREEMENT = "disagreement", "picture and caption disagree"
    OVERRIDDEN = "overridden", "changed by the owner"
    LABEL_ERROR = "label_error", "likely label error"
    GOLD = "gold", "known answer"
    SECOND_OPINION = "second_opinion", "second opinion"


BLIND = (Reason.GOLD, Reason.SECOND_OPINION)
"""The model's tags stay hidden until these are answered, and the two look alike."""


class ReviewItem(models.Model):
    """A story that waits in a queue for a review, or has been reviewed.

    A gold item is reviewed by many and stays open; any other is done with its review.
    """

    class Status(models.TextChoices):
        OPEN = "open", "open"
        DONE = "done", "done"
        WITHDRAWN = "withdrawn", "withdrawn"  # reviewed, but its owner no longer agrees

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="review_items")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    # Within its queue, higher first; random in the audit, so that any part of it is a fair sample.
    priority = models.FloatField(default=0.0)
    # The probability with which the item was drawn for its queue; 1 where nothing was drawn.
    inclusion = models.FloatField(default=1.0)
    # The model versions of the analysis, and their digest.
    versions: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    versions_digest = models.CharField(max_length=16, editable=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.OPEN)
    # An open item is taken while the lease lasts.
    leased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="leased_review_items",
        null=True,
        blank=True,
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    skipped_by: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="skipped_review_items", blank=True
    )
    # Of gold: the known answers, as in Review.answers.
    expected: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    # Of a likely label error: the answers in doubt, named as in TagEvent.tag.
    doubts: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    # Of a second opinion: the review that it checks.
    first = models.OneToOneField(
        "stories.Review",
        on_delete=models.CASCADE,
        related_name="second_opinion",
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    story_id: uuid.UUID

    class Meta:
        permissions = [("review_tags", "Can review the tags of stories")]
        indexes = [
            models.Index(
                fields=["reason", "-priority", "id"],
                name="review_next",
                condition=Q(status="open"),
            ),
            models.Index(
                fields=["leased_by", "leased_until"],
                name="review_leases",
                condition=Q(status="open", leased_by__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["story", "reason", "versions_digest"],
                name="review_item_once",
                condition=Q(first__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(reason__in=Reason.values), name="review_item_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "done", "withdrawn"]),
                name="review_item_status_known",
            ),
            models.CheckConstraint(
                condition=Q(inclusion__gt=0, inclusion__lte=1), name="review_item_inclusion"
            ),
            models.CheckConstraint(
                condition=Q(reason="gold") ^ Q(expected__isnull=True), name="review_item_gold"
            ),
            models.CheckConstraint(
                condition=Q(reason="second_opinion") ^ Q(first__isnull=True),
                name="review_item_second_opinion",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} of story {self.story_id}"

    @property
    def blind(self) -> bool:
        """Whether the model's tags are hidden until the reviewer has answered."""
        return self.reason in BLIND


class Review(models.Model):
    """What one reviewer answered about an item; `stories.review.answers` has the format.

    It's for measuring and training only: what the owner sees doesn't change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="reviews")
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="reviews")
    # Null after the reviewer's account was deleted.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="reviews",
        null=True,
        blank=True,
    )
    reason = models.CharField(max_length=16, choices=Reason.choices)
    blind = models.BooleanField(default=False)
    bulk = models.BooleanField(default=False, help_text="Accepted in a list, not one by one.")
    answers: models.JSONField[Any, Any] = models.JSONField()
    # What the models said at that moment, and which versions; a later analysis doesn't change it.
    predicted: models.JSONField[Any, Any] = models.JSONField()
    versions: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True, max_length=1000)
    seconds = models.FloatField(null=True, blank=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        default=timezone.now, editable=False
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    story_id: uuid.UUID
    item_id: uuid.UUID
    reviewer_id: int | None

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["reviewer", "-created_at"], name="review_own"),
            models.Index(
                fields=["reason", "created_at"],
                name="review_counted",
                condition=Q(undone_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "reviewer"],
                name="review_once_by_each",
                condition=Q(undone_at__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["item"],
                name="review_once",
                condition=Q(undone_at__isnull=True) & ~Q(reason="gold"),
            ),
            models.CheckConstraint(
                condition=Q(reason__in=Reason.values), name="review_reason_known"
            ),
        ]

    def __str__(self) -> str:
        return f"review of story {self.story_id}"
