"""URLs of the tracks and preferences API."""

from django.urls import path

from recommender.api.views import (
    FeedbackView,
    MusicSearchView,
    PreferencesView,
    TasteResetView,
    TasteView,
    TrackSearchView,
)

urlpatterns = [
    path("tracks/", TrackSearchView.as_view(), name="tracks"),
    path("tracks/search/", MusicSearchView.as_view(), name="music-search"),
    path("preferences/", PreferencesView.as_view(), name="api-preferences"),
    path("taste/", TasteView.as_view(), name="api-taste"),
    path("taste/reset/", TasteResetView.as_view(), name="api-taste-reset"),
    path(
        "suggestions/<uuid:suggestion_id>/feedback/",
        FeedbackView.as_view(),
        name="suggestion-feedback",
    ),
]
