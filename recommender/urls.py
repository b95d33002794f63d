from django.urls import path

from recommender import views

app_name = "recommender"
urlpatterns = [
    path("<uuid:track_id>/audio.wav", views.audio, name="audio"),
    path("intensity/", views.intensity, name="intensity"),
]
