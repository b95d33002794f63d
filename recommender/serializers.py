"""Tracks and suggestions as the REST API shows them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from rest_framework import serializers

from recommender.models import Suggestion, Track


class TrackSerializer(serializers.ModelSerializer[Track]):
    audio = serializers.SerializerMethodField(
        help_text="where the sound of a demo track is, null for others"
    )
    spotify_id = serializers.CharField(read_only=True, allow_null=True)

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

    def get_audio(self, track: Track) -> str | None:
        return reverse("recommender:audio", args=[track.pk]) if track.is_demo else None


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


class FeedbackSerializer(serializers.Serializer[Any]):
    feedback = serializers.ChoiceField(choices=Suggestion.Feedback.choices, allow_blank=True)
