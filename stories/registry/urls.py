"""URLs of the pages about models."""

from django.urls import path

from stories.registry import views

app_name = "registry"
urlpatterns = [
    path("", views.models, name="models"),
    path("train/<str:name>/", views.train, name="train"),
    path("train/<str:name>/cancel/", views.cancel_training, name="cancel_training"),
    path("<uuid:version_id>/shadow/", views.shadow, name="shadow"),
    path("<uuid:version_id>/stop-shadow/", views.stop_shadow, name="stop_shadow"),
    path("<uuid:version_id>/promote/", views.promote, name="promote"),
    path("<uuid:version_id>/take-back/", views.take_back, name="take_back"),
]
