"""Tracks, what was shown, what was chosen, and what a person likes."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, Q
from pgvector.django import HalfVectorField

from recommender.engine.reasons import in_words
from recommender.engine.scoring import MODEL_VERSION, TERMS, Weights
from recommender.engine.tracks.genres import family
from recommender.engine.tracks.intensity import LEVELS, IntensityFit
from recommender.engine.tracks.song_keys import search_text, song_key
from recommender.engine.tracks.spelling import LONGEST_WORD, trigrams

SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
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


# What makes the demo catalogue unnecessary: see recommender.catalogue.demo_tracks.
IMPORTED = Q(~Q(source="demo"), energy__isnull=False, valence__isnull=False)


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


class Track(models.Model):
    """One recording with the audio features as Spotify names and scales them."""

    class Source(models.TextChoices):
        DEMO = "demo", "Demo catalogue"
        IMPORT = "import", "Imported file"
        SPOTIFY = "spotify", "Spotify"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    source_id = models.CharField(max_length=100)
    title = models.TextField()
    artists = ArrayField(models.TextField())
    album = models.TextField(blank=True)
    release_date = models.CharField(
        max_length=10, blank=True, help_text="2004, 2004-07 or 2004-07-05, as precise as known"
    )
    release_year = models.SmallIntegerField(null=True, blank=True, editable=False)
    genre = models.TextField(blank=True, help_text="As the source names it")
    genre_family = models.CharField(
        max_length=20, blank=True, editable=False, help_text="One of engine.genres.FAMILIES"
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
        max_length=32, editable=False, help_text="The same for the same song under another id"
    )
    search_text = models.TextField(editable=False)

    class Meta:
        ordering = ["title", "id"]
        indexes: ClassVar[list[models.Index]] = [
            GistIndex(
                MoodPoint(),
                name="track_mood",
                condition=Q(energy__isnull=False, valence__isnull=False),
            ),
            GistIndex(
                MoodPoint(),
                name="track_mood_popular",
                condition=Q(
                    energy__isnull=False, valence__isnull=False, popularity__gte=POPULAR_FROM
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
        self.song_key = song_key(self.title, self.artists)
        self.search_text = search_text(self.title, self.artists)
        self.genre_family = family(self.genre)
        self.release_year = int(self.release_date[:4]) if self.release_date else None
        super().save(*args, **kwargs)
        words = {word for word in self.search_text.split() if len(word) <= LONGEST_WORD}
        SearchWord.objects.bulk_create(
            [SearchWord(word=word, trigrams=trigrams(word)) for word in words],
            ignore_conflicts=True,
        )

    @property
    def artist_line(self) -> str:
        return ", ".join(self.artists)

    @property
    def facts(self) -> list[str]:
        """What else is known of the track, in words."""
        level = f"{self.intensity} intensity" if self.intensity else ""
        known = (self.genre, self.release_year, level, "explicit" if self.explicit else "")
        return [str(fact) for fact in known if fact]

    @property
    def is_demo(self) -> bool:
        return self.source == self.Source.DEMO

    @property
    def spotify_id(self) -> str | None:
        """The id under which Spotify plays this track, where the source's id is one."""
        if self.source == self.Source.DEMO or not SPOTIFY_ID.fullmatch(self.source_id):
            return None
        return self.source_id


class SearchWord(models.Model):
    """One word of the titles and artists here, by which misspelt ones are understood."""

    word = models.CharField(max_length=LONGEST_WORD, primary_key=True)
    trigrams = ArrayField(models.TextField())

    class Meta:
        indexes: ClassVar[list[models.Index]] = [GinIndex(fields=["trigrams"], name="word_trigram")]

    def __str__(self) -> str:
        return self.word


class IntensityModel(models.Model):
    """How this catalogue's tracks are told apart by intensity; the newest counts."""

    fitted_at = models.DateTimeField()
    parameters = models.JSONField(help_text="As engine.intensity.IntensityFit writes them")

    class Meta:
        ordering = ["-fitted_at"]

    def __str__(self) -> str:
        return f"intensity of {self.fitted_at:%d %B %Y}"

    @property
    def fit(self) -> IntensityFit:
        return IntensityFit.from_json(self.parameters)


class RankingWeights(models.Model):
    """How much each term of the ranking counts, as learned here; the newest counts."""

    fitted_at = models.DateTimeField()
    weights = models.JSONField(help_text="By the names of engine.scoring.Weights")
    looking = models.FloatField(help_text="How fast attention falls with the rank")
    n_lists = models.PositiveIntegerField(help_text="Lists that led to a choice")

    class Meta:
        ordering = ["-fitted_at", "-id"]
        verbose_name_plural = "ranking weights"

    def __str__(self) -> str:
        return f"weights of {self.fitted_at:%d %B %Y}"

    @property
    def model_version(self) -> str:
        """What a list ranked by these weights is logged under."""
        return f"{MODEL_VERSION}.{self.pk}"

    @property
    def as_weights(self) -> Weights:
        """As the engine takes them; a term that came later has its prior."""
        known = {name: self.weights[name] for name in TERMS if name in self.weights}
        return Weights(**known)


class FeatureMiss(models.Model):
    """A provider was asked for a track's features and did not know it."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="feature_misses")
    provider = models.CharField(max_length=20)
    asked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["track", "provider"], name="feature_miss_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} does not know {self.track_id}"


class Suggestion(models.Model):
    """One track as it was shown: the log from which ranking learns, never edited by hand."""

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
        help_text="Chance of this track at this rank, given the tracks ranked before it"
    )
    model_version = models.CharField(max_length=40)
    steering = models.FloatField(default=0.0, help_text="As engine.steering has it")
    shown_at = models.DateTimeField()
    feedback = models.CharField(
        max_length=20, blank=True, choices=Feedback.choices, default=Feedback.NONE
    )
    feedback_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-shown_at", "rank"]
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
        return in_words(
            self.terms,
            valence=self.track.valence,
            energy=self.track.energy,
            steering=self.steering,
        )


class Choice(models.Model):
    """The track that a person saved with a story: the signal from which everybody profits."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="choices"
    )
    story_id = models.UUIDField(unique=True)
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="choices")
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
        help_text="What stopped the learning, if it was a reset of the whole taste",
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-created_at"], name="choice_user"),
        ]

    def __str__(self) -> str:
        return f"{self.track_id} for story {self.story_id}"


class TasteProfile(models.Model):
    """What a person's saved tracks say of them, kept true to every choice."""

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


class FactorVersion(models.Model):
    """One training of the collaborative factors, with the whole catalogue arranged by it.

    One version serves; the one before it is kept to go back to.
    """

    class State(models.TextChoices):
        SERVING = "serving", "Serving"
        RETIRED = "retired", "Kept to go back to"
        REFUSED = "refused", "Refused: worse than the one that served"

    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices)
    method = models.CharField(max_length=40, help_text="What trained it; empty without choices")
    confidence = models.FloatField(help_text="For folding a person in, as in training")
    regularisation = models.FloatField(help_text="For folding a person in, as in training")
    n_factors = models.PositiveSmallIntegerField()
    n_songs = models.PositiveIntegerField(help_text="Songs that somebody chose")
    n_choices = models.PositiveIntegerField()
    n_examined = models.PositiveIntegerField(help_text="People on whom quality was measured")
    quality = models.FloatField(null=True, help_text="Recall@50 of people never trained on")
    quality_before = models.FloatField(null=True, help_text="The same of the version before")
    n_tracks = models.PositiveIntegerField(default=0)
    with_demo_tracks = models.BooleanField(
        db_default=True, help_text="Whether demo tracks are arranged and learned from"
    )
    gram = models.BinaryField(null=True, help_text="float32 (n_factors, n_factors)")
    index = models.BinaryField(null=True, help_text="engine.inverted.InvertedFile")

    class Meta:
        ordering = ["-created_at"]
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
    bucket = models.IntegerField(help_text="As engine.inverted numbers them")
    valence = models.FloatField()
    energy = models.FloatField()
    genre_code = models.SmallIntegerField(
        help_text="As recommender.ranking.preference_filters numbers the families"
    )
    language_code = models.SmallIntegerField(
        help_text="As recommender.ranking.preference_filters numbers them"
    )
    is_trained = models.BooleanField(help_text="Somebody chose this song; else it is predicted")
    vector = HalfVectorField(help_text="As engine.linear lays it out")

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


class TasteReset(models.Model):
    """A person had Storify forget their taste; what they saved stays saved."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taste_resets"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"taste forgotten {self.at:%d %B %Y}"


class StoryTuning(models.Model):
    """How somebody wants the music of one story: where it takes them, and whether it counts."""

    story_id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="story_tunings"
    )
    steering = models.FloatField(default=0.0, help_text="0 match, 0.5 lift, 1 contrast")
    learns = models.BooleanField(default=True)
    fits_nothing = models.BooleanField(
        default=False, help_text="The latest search for tracks found none: an empty list has no row"
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(steering__gte=0.0, steering__lte=1.0), name="tuning_steering_on_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"tuning of story {self.story_id}"


class MusicPreferences(models.Model):
    """What a person said of music: what they like, and which tracks they want at all."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="music_preferences"
    )
    liked_genres = ArrayField(models.TextField(), default=list, blank=True)
    liked_languages = ArrayField(models.TextField(), default=list, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When they answered or not")
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
