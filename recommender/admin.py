"""Admin pages for tracks and the log of suggestions and choices."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import ReadOnlyAdmin
from recommender.catalogue import shared_tracks
from recommender.models import Choice, RankingWeights, Suggestion, Track
from recommender.services.search_words import learn_words_of


class LogAdmin(ReadOnlyAdmin, admin.ModelAdmin[Any]):
    """A log that staff can read but not change."""

    def has_delete_permission(self, *_args: Any) -> bool:
        return False


class TrackLogAdmin(LogAdmin):
    """A log of tracks, without those of private libraries, which aren't for staff."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(shared_tracks.shared("track__"))


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin[Track]):
    list_display = (
        *("title", "artist_line", "source", "genre", "language"),
        *("valence", "energy", "intensity", "popularity"),
    )
    list_filter = ("source", "intensity", "genre_family", "explicit")
    search_fields = ("search_text", "source_id")
    readonly_fields = ("id", "source", "source_id", "song_key", "search_text", "recipe")
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Track]:
        """Private libraries aren't for staff."""
        return super().get_queryset(request).filter(shared_tracks.shared())

    def save_model(self, request: HttpRequest, obj: Track, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        learn_words_of(track=obj)


@admin.register(Suggestion)
class SuggestionAdmin(TrackLogAdmin):
    list_display = ("track", "user", "rank", "score", "propensity", "feedback", "shown_at")
    list_filter = ("feedback", "model_version", "shown_at")
    list_select_related = ("track", "user")
    search_fields = ("track__search_text", "user__email", "=story_id", "=batch")
    readonly_fields: ClassVar[tuple[str, ...]] = ("reasons",)
    show_full_result_count = False
    list_per_page = 50


@admin.register(RankingWeights)
class RankingWeightsAdmin(LogAdmin):
    list_display = ("fitted_at", "n_lists", "position_bias", "weights")


@admin.register(Choice)
class ChoiceAdmin(TrackLogAdmin):
    list_display = ("track", "user", "story_id", "created_at")
    list_filter = ("created_at", "track__source")
    list_select_related = ("track", "user")
    search_fields = ("track__search_text", "user__email", "=story_id")
    list_per_page = 50
