from django.urls import path

from stories import api

urlpatterns = [
    path("stories/", api.StoryListView.as_view(), name="api-stories"),
    path("stories/<uuid:story_id>/", api.StoryView.as_view(), name="api-story"),
    path(
        "stories/<uuid:story_id>/suggestions/",
        api.StorySuggestionsView.as_view(),
        name="api-story-suggestions",
    ),
    path("stories/<uuid:story_id>/music/", api.StoryMusicView.as_view(), name="api-story-music"),
    path("stories/<uuid:story_id>/choice/", api.StoryChoiceView.as_view(), name="api-story-choice"),
    path("stories/<uuid:story_id>/retry/", api.StoryRetryView.as_view(), name="api-story-retry"),
]
