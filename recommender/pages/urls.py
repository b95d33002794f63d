"""URLs of the music pages."""

from django.urls import path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from recommender.pages import taste as taste_views
from recommender.pages import views

# Old links to the page keep working.
intensity_moved = require_safe(
    RedirectView.as_view(pattern_name="recommender_staff:intensity", permanent=True)
)

app_name = "recommender"
urlpatterns = [
    path("<uuid:track_id>/audio.wav", views.audio, name="audio"),
    path("intensity/", intensity_moved),
    path("taste/", taste_views.taste, name="taste"),
    path("taste/likes/", taste_views.likes, name="likes"),
    path("taste/filters/", taste_views.filters, name="filters"),
    path("taste/reset/", taste_views.reset_taste, name="reset_taste"),
    path("taste/undo/", taste_views.undo_reset, name="undo_reset"),
]
