"""URLs of the sandbox's ReccoBeats."""

from django.urls import path

from recommender.sandbox import views

app_name = "sandbox_music"

urlpatterns = [
    path("v1/audio-features", views.audio_features),
    path("v1/track", views.tracks),
    path("v1/track/recommendation", views.recommendation),
    path("sound/<str:track_id>.wav", views.sound, name="sound"),
]
