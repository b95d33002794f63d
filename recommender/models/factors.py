"""Collaborative factors and save counts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

from recommender.models.tracks import Track


class FactorVersion(models.Model):
    """One version of the collaborative factors, with the index of the catalogue built from it.

    One version serves; the previous one is kept for a rollback.
    """

    class State(models.TextChoices):
        SERVING = "serving", "Serving"
        RETIRED = "retired", "Kept to go back to"
        REFUSED = "refused", "Refused: worse than the one that served"

    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices)
    method = models.CharField(max_length=40, help_text="Training method; empty without choices")
    confidence = models.FloatField(help_text="For folding a person in, as in training")
    regularisation = models.FloatField(help_text="For folding a person in, as in training")
    n_factors = models.PositiveSmallIntegerField()
    n_songs = models.PositiveIntegerField(help_text="Songs that somebody chose")
    n_choices = models.PositiveIntegerField()
    n_examined = models.PositiveIntegerField(help_text="People on whom quality was measured")
    quality = models.FloatField(null=True, help_text="Recall@50 of people never trained on")
    quality_before = models.FloatField(null=True, help_text="The same for the previous version")
    n_tracks = models.PositiveIntegerField(default=0)
    with_demo_tracks = models.BooleanField(
        db_default=True, help_text="Whether demo tracks are indexed and learned from"
    )
    gram = models.BinaryField(null=True, help_text="float32 (n_factors, n_factors)")
    index = models.BinaryField(null=True, help_text="engine.ivf_index.IvfIndex")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["state"],
                name="factor_version_one_serves",
                condition=Q(state="serving"),
            ),
        ]

    def __str__(self) -> str:
        return f"factors {self.pk} of {self.created_at:%d %B %Y}"


class TrackFactor(models.Model):
    """A track's place in one version of the factors; a partition of the table per version.

    Rows lie on disk in the order of their buckets, so that looking into some reads little. They
    refer to tracks without a foreign key: one that is gone is passed over when it is joined.
    """

    pk = models.CompositePrimaryKey("version_id", "track_id")
    version_id = models.BigIntegerField()
    track_id = models.UUIDField()
    bucket = models.IntegerField(help_text="As engine.ivf_index numbers them")
    valence = models.FloatField()
    energy = models.FloatField()
    genre_code = models.SmallIntegerField(
        help_text="As recommender.ranking.preference_filters numbers the families"
    )
    language_code = models.SmallIntegerField(
        help_text="As recommender.ranking.preference_filters numbers them"
    )
    is_trained = models.BooleanField(help_text="Somebody chose this song; else it is predicted")
    vector = HalfVectorField(help_text="As engine.query_vectors lays it out")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["version_id", "bucket"], name="track_factor_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.track_id} in version {self.version_id}"


class TrackSaves(models.Model):
    """How often a track was saved, ever and lately.

    `level` says how much it is trending: the logarithm to base 2 of the sum over its saves of
    2 to the (time of the save in half-lives). It changes with a save and not with time, so an
    index on it stays sorted by what is trending (forward decay: Cormode et al. 2009).
    """

    track = models.OneToOneField(
        Track, primary_key=True, on_delete=models.CASCADE, related_name="saves"
    )
    n_saves = models.PositiveIntegerField()
    level = models.FloatField(db_index=True)

    class Meta:
        verbose_name_plural = "track saves"

    def __str__(self) -> str:
        return f"{self.track_id}: {self.n_saves}"
