"""Tracks, search words, intensity models and feature misses."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q

from accounts.spotify import app
from recommender.engine.tracks.derived import derived_columns
from recommender.engine.tracks.intensity import LEVELS, IntensityFit
from recommender.engine.tracks.spelling import LONGEST_WORD

SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
RELEASE_DATE = re.compile(r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?\Z")
POPULAR_FROM = 50
UNIT_FEATURES = (
    "danceability",
    "energy",
    "valence",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
)


# Private tracks came from somebody's Spotify: see recommender.catalogue.shared_tracks.
SHARED = ~Q(source="spotify")
# Tracks that take demo tracks out of use: see recommender.catalogue.demo_tracks.
IMPORTED = Q(source="import", energy__isnull=False, valence__isnull=False)


class MoodPoint(Func):
    """The track's place in the energy x valence plane, as a Postgres point."""

    function = "point"

    def __init__(self) -> None:
        super().__init__(F("energy"), F("valence"))


def _in_unit_interval(field: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{field}__isnull": True})
        | Q(**{f"{field}__gte": 0.0, f"{field}__lte": 1.0}),
        name=f"track_{field}_in_unit_interval",
    )


def spotify_id_of(source: str, source_id: str) -> str | None:
    """The id under which Spotify plays a track, where the source's id is one."""
    if source == Track.Source.DEMO or not SPOTIFY_ID.fullmatch(source_id):
        return None
    return source_id


class Track(models.Model):
    """One recording with the audio features as Spotify names and scales them."""

    class Source(models.TextChoices):
        DEMO = "demo", "Demo catalogue"
        IMPORT = "import", "Imported file"
        SPOTIFY = "spotify", "Somebody's Spotify"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    source_id = models.CharField(max_length=100)
    isrc = models.CharField(
        max_length=12, blank=True, help_text="International code of the recording"
    )
    title = models.TextField()
    artists = ArrayField(models.TextField())
    album = models.TextField(blank=True)
    release_date = models.CharField(
        max_length=10,
        blank=True,
        help_text="2004, 2004-07 or 2004-07-05, as precise as known",
        validators=[RegexValidator(RELEASE_DATE, "Please write 2004, 2004-07 or 2004-07-05.")],
    )
    release_year = models.SmallIntegerField(null=True, blank=True, editable=False)
    genre = models.TextField(blank=True, help_text="As the source names it")
    genre_family = models.CharField(
        max_length=20, blank=True, editable=False, help_text="One of engine.tracks.genres.FAMILIES"
    )
    language = models.CharField(
        max_length=3, blank=True, help_text="ISO 639; zxx where nothing is sung"
    )
    explicit = models.BooleanField(null=True, blank=True)
    popularity = models.SmallIntegerField(null=True, blank=True)
    danceability = models.FloatField(null=True, blank=True)
    energy = models.FloatField(null=True, blank=True)
    key = models.SmallIntegerField(null=True, blank=True)
    loudness = models.FloatField(null=True, blank=True)
    mode = models.SmallIntegerField(null=True, blank=True)
    speechiness = models.FloatField(null=True, blank=True)
    acousticness = models.FloatField(null=True, blank=True)
    instrumentalness = models.FloatField(null=True, blank=True)
    liveness = models.FloatField(null=True, blank=True)
    valence = models.FloatField(null=True, blank=True)
    tempo = models.FloatField(null=True, blank=True)
    time_signature = models.SmallIntegerField(null=True, blank=True)
    duration_ms = models.IntegerField(null=True, blank=True)
    intensity = models.CharField(
        max_length=6, blank=True, editable=False, choices=[(name, name) for name in LEVELS]
    )
    artwork_url = models.URLField(max_length=500, blank=True)
    spotify_url = models.URLField(max_length=500, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    recipe = models.JSONField(null=True, blank=True)
    song_key = models.CharField(
        max_length=32, editable=False, help_text="Equal for the same song under different ids"
    )
    search_text = models.TextField(editable=False)

    class Meta:
        ordering = ["title", "id"]
        indexes: ClassVar[list[models.Index]] = [
            GistIndex(
                MoodPoint(),
                name="track_mood",
                condition=Q(SHARED, energy__isnull=False, valence__isnull=False),
            ),
            GistIndex(
                MoodPoint(),
                name="track_mood_popular",
                condition=Q(
                    SHARED,
                    energy__isnull=False,
                    valence__isnull=False,
                    popularity__gte=POPULAR_FROM,
                ),
            ),
            GinIndex(SearchVector("search_text", config="simple"), name="track_search"),
            models.Index("expires_at", name="track_expiry", condition=Q(expires_at__isnull=False)),
            models.Index(
                fields=["id"],
                name="track_without_mood",
                condition=Q(energy=None) | Q(valence=None),
            ),
            models.Index(fields=["source"], name="track_imported", condition=IMPORTED),
            models.Index(fields=["song_key"], name="track_song"),
            models.Index(fields=["isrc"], name="track_isrc", condition=~Q(isrc="")),
            models.Index(fields=["genre_family"], name="track_genre_family"),
            models.Index(fields=["language"], name="track_language"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "source_id"], name="track_source_id"),
            *[_in_unit_interval(field) for field in UNIT_FEATURES],
            models.CheckConstraint(
                condition=Q(popularity__isnull=True) | Q(popularity__gte=0, popularity__lte=100),
                name="track_popularity_in_percent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} – {self.artist_line}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        derived = derived_columns(
            title=self.title,
            artists=self.artists,
            genre=self.genre,
            release_date=self.release_date,
        )
        for name, value in derived.items():
            setattr(self, name, value)
        super().save(*args, **kwargs)

    @property
    def artist_line(self) -> str:
        return ", ".join(self.artists)

    @property
    def facts(self) -> list[str]:
        """Genre, year, intensity and explicitness, as far as known, in words."""
        level = f"{self.intensity} intensity" if self.intensity else ""
        facts = (self.genre, self.release_year, level, "explicit" if self.explicit else "")
        return [str(fact) for fact in facts if fact]

    @property
    def is_shared(self) -> bool:
        """Whether it's in the catalogue that everybody shares: no track of a private library."""
        return self.source != self.Source.SPOTIFY

    @property
    def is_demo(self) -> bool:
        return self.source == self.Source.DEMO

    @property
    def spotify_id(self) -> str | None:
        return spotify_id_of(self.source, self.source_id)

    @property
    def spotify_page(self) -> str:
        """The address of this track at Spotify, or "" where it isn't there."""
        return app.open_url("track", self.spotify_id) if self.spotify_id else ""

    @property
    def spotify_embed(self) -> str:
        """The address of Spotify's player for this track, or ""."""
        return app.player_url(self.spotify_id) if self.spotify_id else ""


class SearchWord(models.Model):
    """A word of the catalogue's titles and artists, for correcting misspelt queries."""

    word = models.CharField(max_length=LONGEST_WORD, primary_key=True)
    trigrams = ArrayField(models.TextField())

    class Meta:
        indexes: ClassVar[list[models.Index]] = [GinIndex(fields=["trigrams"], name="word_trigram")]

    def __str__(self) -> str:
        return self.word


class IntensityModel(models.Model):
    """A fitted intensity classifier; the newest row is used."""

    fitted_at = models.DateTimeField()
    parameters = models.JSONField(help_text="As engine.tracks.intensity.IntensityFit writes them")

    class Meta:
        ordering = ["-fitted_at", "-id"]

    def __str__(self) -> str:
        return f"intensity of {self.fitted_at:%d %B %Y}"

    @property
    def fit(self) -> IntensityFit:
        return IntensityFit.from_json(self.parameters)


class FeatureMiss(models.Model):
    """A track whose features a provider didn't know when asked."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="feature_misses")
    provider = models.CharField(max_length=20)
    asked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["track", "provider"], name="feature_miss_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} does not know {self.track_id}"
