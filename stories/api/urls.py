"""URLs of the stories API."""

from django.urls import path

from stories.api import saving, views

urlpatterns = [
    path("stories/", views.StoryListView.as_view(), name="api-stories"),
    path("stories/<uuid:story_id>/", views.StoryView.as_view(), name="api-story"),
    path(
        "stories/<uuid:story_id>/suggestions/",
        views.StorySuggestionsView.as_view(),
        name="api-story-suggestions",
    ),
    path("stories/<uuid:story_id>/music/", views.StoryMusicView.as_view(), name="api-story-music"),
    path(
        "stories/<uuid:story_id>/choice/", views.StoryChoiceView.as_view(), name="api-story-choice"
    ),
    path(
        "stories/<uuid:story_id>/spotify/",
        saving.StorySpotifyView.as_view(),
        name="api-story-spotify",
    ),
    path(
        "stories/<uuid:story_id>/spotify/<uuid:save_id>/",
        saving.StorySpotifySaveView.as_view(),
        name="api-story-spotify-save",
    ),
    path("spotify/playlists/", saving.SpotifyPlaylistsView.as_view(), name="api-playlists"),
    path("stories/<uuid:story_id>/retry/", views.StoryRetryView.as_view(), name="api-story-retry"),
]
