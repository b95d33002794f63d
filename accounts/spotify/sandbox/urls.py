"""URLs of the sandbox."""

from django.urls import path, re_path

from accounts.spotify.sandbox import accounts_views, api_views

app_name = "sandbox"

# Deprecated in November 2024, or closed to apps in development mode since February 2026.
CLOSED = (
    r"audio-features(?:/[^/]+)?|audio-analysis/[^/]+|recommendations(?:/available-genre-seeds)?"
    r"|tracks|albums|artists|shows|episodes|audiobooks|chapters|markets"
    r"|artists/[^/]+/(?:related-artists|top-tracks)"
    r"|browse/(?:featured-playlists|new-releases|categories(?:/.*)?)"
    r"|users/[^/]+(?:/playlists)?|playlists/[^/]+/tracks"
)

urlpatterns = [
    path("accounts/authorize", accounts_views.authorize, name="authorize"),
    path("accounts/api/token", accounts_views.token, name="token"),
    path("api/v1/me", api_views.me),
    path("api/v1/search", api_views.search),
    path("api/v1/tracks/<str:identifier>", api_views.track),
    path("api/v1/me/library", api_views.library),
    path("api/v1/me/playlists", api_views.playlists),
    path("api/v1/playlists/<str:identifier>/items", api_views.playlist_items),
    re_path(rf"^api/v1/(?:{CLOSED})$", api_views.closed),
    re_path(r"^api/", api_views.unknown),
]
