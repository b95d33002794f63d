"""What was shown, what was chosen, and the weights learned from both."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from recommender.engine.reasons import reason_sentences
from recommender.engine.scoring import MODEL_VERSION, TERMS, Weights
from recommender.models.tracks import Track


class RankingWeights(models.Model):
    """Learned weights of the ranking terms; the newest row is used."""

    fitted_at = models.DateTimeField()
    weights = models.JSONField(help_text="By the names of engine.scoring.Weights")
    position_bias = models.FloatField(help_text="How fast attention falls with the rank")
    n_lists = models.PositiveIntegerField(help_text="Lists that led to a choice")

    class Meta:
        ordering = ["-fitted_at", "-id"]
        verbose_name_plural = "ranking weights"

    def __str__(self) -> str:
        return f"weights of {self.fitted_at:%d %B %Y}"

    @property
    def model_version(self) -> str:
        """The name under which lists ranked by these weights are logged."""
        return f"{MODEL_VERSION}.{self.pk}"

    @property
    def as_weights(self) -> Weights:
        """In the engine's format; a term added later gets its prior."""
        known = {name: self.weights[name] for name in TERMS if name in self.weights}
        return Weights(**known)


class Suggestion(models.Model):
    """One track as it was shown: the log from which ranking weights are learned."""

    class Feedback(models.TextChoices):
        NONE = "", "None"
        NOT_THIS_ONE = "not_this_one", "Not this one"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.UUIDField(db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="suggestions"
    )
    story_id = models.UUIDField()
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="suggestions")
    rank = models.PositiveSmallIntegerField()
    score = models.FloatField()
    terms = models.JSONField(help_text="Named contributions; their sum is the score")
    propensity = models.FloatField(
        help_text="Probability of this track at this rank, given the tracks ranked before it"
    )
    model_version = models.CharField(max_length=40)
    steering = models.FloatField(default=0.0, help_text="0 match, 0.5 lift, 1 contrast")
    shown_at = models.DateTimeField()
    feedback = models.CharField(
        max_length=20, blank=True, choices=Feedback.choices, default=Feedback.NONE
    )
    feedback_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-shown_at", "rank", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["story_id", "-shown_at", "rank"], name="suggestion_story"),
            models.Index(fields=["user", "-shown_at"], name="suggestion_user"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["batch", "rank"], name="suggestion_batch_rank"),
            models.CheckConstraint(
                condition=Q(propensity__gt=0.0, propensity__lte=1.0),
                name="suggestion_propensity_is_probability",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.track_id}"

    @property
    def reasons(self) -> list[str]:
        return reason_sentences(
            self.terms,
            valence=self.track.valence,
            energy=self.track.energy,
            steering=self.steering,
        )


class Choice(models.Model):
    """The track that a person saved with a story: the collaborative signal."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="choices"
    )
    story_id = models.UUIDField(unique=True)
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="choices")
    source = models.CharField(
        max_length=10,
        choices=Track.Source.choices,
        help_text="The track's, which never changes, so that co-saves needn't visit the tracks",
    )
    suggestion = models.ForeignKey(
        Suggestion, null=True, blank=True, on_delete=models.SET_NULL, related_name="choices"
    )
    learns = models.BooleanField(default=True, help_text="Whether anything is learned from it")
    reset = models.ForeignKey(
        "TasteReset",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="choices",
        help_text="The taste reset that ended learning from it",
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(source__in=Track.Source.values), name="choice_source_known"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-created_at"], name="choice_user"),
            models.Index(
                fields=["user", "-created_at", "id"],
                include=["track", "source"],
                condition=models.Q(learns=True),
                name="choice_learned",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.track_id} for story {self.story_id}"


class StoryTuning(models.Model):
    """Steering, learning, and own or new music, for one story."""

    story_id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="story_tunings"
    )
    steering = models.FloatField(default=0.0, help_text="0 match, 0.5 lift, 1 contrast")
    learns = models.BooleanField(default=True)
    music = models.CharField(
        max_length=4,
        default="mix",
        choices=[("mine", "Own music"), ("mix", "Both"), ("new", "New music")],
        help_text="As ranking.music_scope.MusicScope names them",
    )
    fits_nothing = models.BooleanField(default=False, help_text="The latest ranking was empty")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(steering__gte=0.0, steering__lte=1.0), name="tuning_steering_on_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"tuning of story {self.story_id}"
