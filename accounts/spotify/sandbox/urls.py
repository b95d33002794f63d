"""URLs of the sandbox."""

from django.urls import path, re_path

from accounts.spotify.sandbox import accounts_views, api_views, music_views, open_views

app_name = "sandbox"

# Deprecated in November 2024, or closed to apps in development mode since February 2026.
CLOSED = (
    r"audio-features(?:/[^/]+)?|audio-analysis/[^/]+|recommendations(?:/available-genre-seeds)?"
    r"|tracks|albums|artists|shows|episodes|audiobooks|chapters|markets"
    r"|artists/[^/]+/(?:related-artists|top-tracks)"
    r"|browse/(?:featured-playlists|new-releases|categories(?:/.*)?)"
    r"|users/[^/]+(?:/playlists)?|playlists/[^/]+/(?:tracks|followers(?:/contains)?)"
    r"|me/(?:tracks|albums|episodes|shows|audiobooks|following)/contains"
)
# What /me/library does now; only reading is left of these.
ONLY_READ = "me/(?:albums|episodes|shows|audiobooks|following)"

urlpatterns = [
    path("accounts/authorize", accounts_views.authorize, name="authorize"),
    path("accounts/api/token", accounts_views.token, name="token"),
    path("api/v1/me", api_views.me),
    path("api/v1/search", api_views.search),
    path("api/v1/tracks/<str:identifier>", api_views.track),
    path("api/v1/me/tracks", music_views.saved_tracks),
    path("api/v1/me/top/tracks", music_views.top_tracks),
    path("api/v1/me/top/artists", music_views.top_artists),
    path("api/v1/me/player/recently-played", music_views.recently_played),
    path("api/v1/me/library", music_views.library),
    path("api/v1/me/library/contains", music_views.library_contains),
    path("api/v1/me/playlists", music_views.playlists),
    path("api/v1/playlists/<str:identifier>/items", music_views.playlist_items),
    re_path(rf"^api/v1/(?:{CLOSED})$", api_views.closed),
    re_path(rf"^api/v1/(?:{ONLY_READ})$", api_views.only_read),
    re_path(r"^api/", api_views.unknown),
    path("open/", open_views.music, name="music"),
    path("open/reset/", open_views.reset, name="reset"),
    path("open/playlist/<str:identifier>", open_views.playlist, name="playlist"),
    path("open/track/<str:identifier>", open_views.track, name="track"),
    path("open/embed/track/<str:identifier>", open_views.player, name="player"),
]
