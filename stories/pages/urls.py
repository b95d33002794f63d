"""URLs of the story pages and the survey."""

from django.urls import path

from stories.pages import media, music, views
from stories.saving import views as saving_views
from stories.survey import views as survey_views

app_name = "stories"
urlpatterns = [
    path("", views.home, name="home"),
    path("stories/", views.history, name="history"),
    path("stories/new/", views.new, name="new"),
    path("stories/<uuid:story_id>/", views.story, name="story"),
    path("stories/<uuid:story_id>/progress/", views.progress, name="progress"),
    path("stories/<uuid:story_id>/player/", views.player, name="player"),
    path("stories/<uuid:story_id>/correct/", views.correct, name="correct"),
    path("stories/<uuid:story_id>/choose/", views.choose, name="choose"),
    path("stories/<uuid:story_id>/unchoose/", views.unchoose, name="unchoose"),
    path("stories/<uuid:story_id>/dismiss/", views.dismiss, name="dismiss"),
    path("stories/<uuid:story_id>/restore/", music.restore, name="restore"),
    path("stories/<uuid:story_id>/steer/", music.steer, name="steer"),
    path("stories/<uuid:story_id>/scope/", music.set_music_scope, name="scope"),
    path("stories/<uuid:story_id>/filter/", music.filter_tracks, name="filter"),
    path("stories/<uuid:story_id>/learning/", music.set_learning, name="learning"),
    path("stories/<uuid:story_id>/find/", music.find, name="find"),
    path("stories/<uuid:story_id>/spotify/", saving_views.spotify_save, name="spotify"),
    path("stories/<uuid:story_id>/spotify/save/", saving_views.save, name="spotify-save"),
    path("stories/<uuid:story_id>/spotify/remove/", saving_views.remove, name="spotify-remove"),
    path(
        "stories/<uuid:story_id>/spotify/playlists/",
        saving_views.playlists,
        name="spotify-playlists",
    ),
    path("stories/<uuid:story_id>/retry/", views.retry, name="retry"),
    path("stories/<uuid:story_id>/delete/", views.delete, name="delete"),
    path("survey/", survey_views.survey, name="survey"),
    path("survey/results/", survey_views.results, name="survey_results"),
    path("stories/<uuid:story_id>/photo.jpg", media.photo, name="photo"),
    path("stories/<uuid:story_id>/video", media.video, name="video"),
    path("stories/<uuid:story_id>/thumbnail.jpg", media.thumbnail, name="thumbnail"),
]
