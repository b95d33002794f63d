"""Music preferences, taste profiles and resets."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class TasteProfile(models.Model):
    """A person's taste, updated with every choice."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taste_profile"
    )
    vector = ArrayField(
        models.FloatField(), help_text="The mean of the standardised content features"
    )
    n_choices = models.PositiveIntegerField()
    factor = ArrayField(
        models.FloatField(), default=list, help_text="Folded into the factors of factor_version"
    )
    factor_version = models.BigIntegerField(null=True, blank=True)
    with_demo_tracks = models.BooleanField(
        db_default=True, help_text="Whether saved demo tracks are counted"
    )
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"taste after {self.n_choices} choices"


class TasteReset(models.Model):
    """A reset of a person's taste; saved tracks stay saved."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taste_resets"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"taste forgotten {self.at:%d %B %Y}"


class MusicPreferences(models.Model):
    """A person's likes and filters."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="music_preferences"
    )
    liked_genres = ArrayField(models.TextField(), default=list, blank=True)
    liked_languages = ArrayField(models.TextField(), default=list, blank=True)
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When they answered or skipped the question"
    )
    demo_notice_at = models.DateTimeField(
        null=True, blank=True, help_text="When they were told that demo tracks are out of use"
    )

    allow_explicit = models.BooleanField(default=True)
    genres = ArrayField(models.TextField(), default=list, blank=True, help_text="Empty: all")
    languages = ArrayField(models.TextField(), default=list, blank=True, help_text="Empty: all")
    year_from = models.SmallIntegerField(null=True, blank=True)
    year_to = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "music preferences"

    def __str__(self) -> str:
        return f"music preferences of {self.user_id}"

    @property
    def n_filters(self) -> int:
        """How many kinds of tracks are kept out."""
        years = self.year_from is not None or self.year_to is not None
        return sum((not self.allow_explicit, bool(self.genres), bool(self.languages), years))
