"""Serializers of tracks, suggestions, preferences and taste."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

from django.urls import reverse
from rest_framework import serializers

from recommender.catalogue.languages import CODES
from recommender.catalogue.release_years import FIRST_YEAR, LAST_YEAR
from recommender.engine.tracks.genres import FAMILIES
from recommender.models import MusicPreferences, Suggestion, Track
from recommender.ranking.rank import RankedTrack


class TrackSerializer(serializers.ModelSerializer[Track]):
    audio = serializers.SerializerMethodField(
        help_text="address of a demo track's audio; null for other tracks"
    )
    spotify_id = serializers.CharField(read_only=True, allow_null=True)
    spotify_url = serializers.CharField(read_only=True, help_text="empty if there is none")
    artwork_url = serializers.CharField(read_only=True, help_text="empty if there is none")
    intensity = serializers.SerializerMethodField(
        help_text="learned from the catalogue; null while unknown"
    )

    class Meta:
        model = Track
        fields: ClassVar[list[str]] = [
            "id",
            "source",
            "title",
            "artists",
            "album",
            "release_date",
            "genre",
            "language",
            "explicit",
            "intensity",
            "popularity",
            "valence",
            "energy",
            "danceability",
            "acousticness",
            "instrumentalness",
            "speechiness",
            "liveness",
            "loudness",
            "tempo",
            "key",
            "mode",
            "time_signature",
            "duration_ms",
            "artwork_url",
            "spotify_id",
            "spotify_url",
            "audio",
        ]
        read_only_fields = fields

    def get_intensity(self, track: Track) -> Literal["low", "medium", "high"] | None:
        return cast(Literal["low", "medium", "high"] | None, track.intensity or None)

    def get_audio(self, track: Track) -> str | None:
        return reverse("recommender:audio", args=[track.pk]) if track.is_demo else None


class RankedTrackSerializer(serializers.Serializer[RankedTrack]):
    """A track of a ranking that was shown to nobody."""

    rank = serializers.IntegerField()
    track = TrackSerializer()
    score = serializers.FloatField()
    terms = serializers.DictField(child=serializers.FloatField())
    reasons = serializers.ListField(child=serializers.CharField())


class SuggestionSerializer(serializers.ModelSerializer[Suggestion]):
    track = TrackSerializer(read_only=True)
    terms = serializers.DictField(child=serializers.FloatField(), read_only=True)
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Suggestion
        fields: ClassVar[list[str]] = [
            "id",
            "rank",
            "track",
            "score",
            "terms",
            "reasons",
            "feedback",
        ]
        read_only_fields = fields


class PreferencesSerializer(serializers.ModelSerializer[MusicPreferences]):
    """A person's music preferences; a change can leave out any field."""

    liked_genres = serializers.ListField(
        child=serializers.ChoiceField(choices=FAMILIES),
        required=False,
        help_text="counts for newcomers",
    )
    liked_languages = serializers.ListField(
        child=serializers.ChoiceField(choices=CODES),
        required=False,
        help_text="ISO 639; counts for newcomers",
    )
    genres = serializers.ListField(
        child=serializers.ChoiceField(choices=FAMILIES),
        required=False,
        help_text="suggest only these; empty for all",
    )
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=CODES),
        required=False,
        help_text="suggest only these; empty for all",
    )
    year_from = serializers.IntegerField(
        required=False, allow_null=True, min_value=FIRST_YEAR, max_value=LAST_YEAR
    )
    year_to = serializers.IntegerField(
        required=False, allow_null=True, min_value=FIRST_YEAR, max_value=LAST_YEAR
    )

    class Meta:
        model = MusicPreferences
        fields: ClassVar[list[str]] = [
            "liked_genres",
            "liked_languages",
            "allow_explicit",
            "genres",
            "languages",
            "year_from",
            "year_to",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = (attrs.get(n, getattr(self.instance, n)) for n in ("year_from", "year_to"))
        if first is not None and last is not None and first > last:
            raise serializers.ValidationError("year_from is after year_to.")
        return attrs


class TasteSerializer(serializers.Serializer[Any]):
    learned_from = serializers.IntegerField(help_text="number of saved tracks")
    reset_at = serializers.DateTimeField(
        allow_null=True, help_text="when it was last reset; null if there's nothing to undo"
    )


class FeedbackSerializer(serializers.Serializer[Any]):
    feedback = serializers.ChoiceField(choices=Suggestion.Feedback.choices, allow_blank=True)
