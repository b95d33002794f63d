"""URLs of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from storify_site import health

sandbox = (
    [
        path("sandbox/reccobeats/", include("recommender.sandbox.urls")),
        path("sandbox/", include("accounts.spotify.sandbox.urls")),
    ]
    if settings.SPOTIFY_SANDBOX
    else []
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("oauth/", include("social_django.urls", namespace="social")),
    # No metadata, so that OPTIONS is a 405: these views can't render it.
    path("api/schema/", SpectacularAPIView.as_view(metadata_class=None), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", metadata_class=None),
        name="api-docs",
    ),
    path("accounts/", include("accounts.pages.urls")),
    *sandbox,
    path("tracks/", include("recommender.pages.urls")),
    path("staff/", include("recommender.staff.urls")),
    path("review/models/", include("stories.registry.urls")),
    path("review/", include("stories.review.urls")),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("recommender.api.urls")),
    path("api/v1/", include("stories.api.urls")),
    path("", include("stories.pages.urls")),
]

handler400 = "accounts.web.problem_details.bad_request"
handler403 = "accounts.web.problem_details.permission_denied"
handler404 = "accounts.web.problem_details.not_found"
handler500 = "accounts.web.problem_details.server_error"
