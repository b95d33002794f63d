"""Serializers of tracks, suggestions, preferences and taste."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

from django.urls import reverse
from rest_framework import serializers

from accounts.spotify.types import SpotifyTrack
from recommender.catalogue.languages import CODES
from recommender.catalogue.release_years import FIRST_YEAR, LAST_YEAR
from recommender.catalogue.spotify_search import (
    FIRST,
    MOST,
    PAGE,
    STATES,
    WRONG_YEARS,
    SpotifyResults,
    years_of,
)
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


class SearchSerializer(serializers.Serializer[Any]):
    """What to search for, in the catalogue and at Spotify."""

    q = serializers.CharField(max_length=200, help_text="words of the title and artists")
    genre = serializers.CharField(required=False, default="", max_length=50)
    year = serializers.RegexField(
        r"^[0-9]{4}(-[0-9]{4})?\Z",
        required=False,
        default="",
        help_text="1999, or 1990-1999",
        error_messages={"invalid": WRONG_YEARS},
    )
    offset = serializers.ChoiceField(
        choices=[*range(FIRST, MOST, PAGE)],
        required=False,
        default=FIRST,
        help_text="of Spotify's results, as `next_offset` gave it",
    )

    def validate_year(self, year: str) -> str:
        try:
            years_of(year)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error
        return year


class SpotifyTrackSerializer(serializers.Serializer[SpotifyTrack]):
    """A track of Spotify's search. It isn't stored until it's chosen, by its `spotify_id`."""

    spotify_id = serializers.CharField(source="id")
    title = serializers.CharField()
    artists = serializers.ListField(child=serializers.CharField())
    album = serializers.CharField(allow_blank=True)
    release_date = serializers.CharField(allow_blank=True)
    explicit = serializers.BooleanField()
    duration_ms = serializers.IntegerField()
    spotify_url = serializers.CharField(help_text="the link back that has to stand beside it")


class SpotifyResultsSerializer(serializers.Serializer[SpotifyResults]):
    state = serializers.ChoiceField(
        choices=STATES,
        help_text="not_connected: the person has no Spotify account here; away: Spotify doesn't"
        " answer now, `detail` says why",
    )
    detail = serializers.CharField(allow_blank=True, help_text="for people")
    tracks = SpotifyTrackSerializer(many=True)
    next_offset = serializers.IntegerField(allow_null=True, help_text="null at the end, or at 50")


class FoundSerializer(serializers.Serializer[Any]):
    catalogue = TrackSerializer(many=True, help_text="up to 20; empty from the second page on")
    spotify = SpotifyResultsSerializer()


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
