"""URLs of the music pages."""

from django.urls import path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from recommender.pages import library, views
from recommender.pages import taste as taste_views

# Old links to the page keep working.
intensity_moved = require_safe(
    RedirectView.as_view(pattern_name="recommender_staff:intensity", permanent=True)
)

app_name = "recommender"
urlpatterns = [
    path("<uuid:track_id>/audio.wav", views.audio, name="audio"),
    path("intensity/", intensity_moved),
    path("library/", library.own_music, name="own_music"),
    path("library/import/", library.import_file, name="import_library"),
    path("library/read/", library.read_again, name="read_library_again"),
    path("library/more/", library.read_more, name="read_more_of_library"),
    path("library/delete/", library.delete, name="delete_library"),
    path("taste/", taste_views.taste, name="taste"),
    path("taste/likes/", taste_views.likes, name="likes"),
    path("taste/filters/", taste_views.filters, name="filters"),
    path("taste/reset/", taste_views.reset_taste, name="reset_taste"),
    path("taste/undo/", taste_views.undo_reset, name="undo_reset"),
]
