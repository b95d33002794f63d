"""Every address of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from storify_site import health

sandbox = [path("sandbox/", include("accounts.sandbox.urls"))] if settings.SPOTIFY_SANDBOX else []

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("oauth/", include("social_django.urls", namespace="social")),
    # Without metadata OPTIONS is answered with 405: these views render nothing but themselves.
    path("api/schema/", SpectacularAPIView.as_view(metadata_class=None), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", metadata_class=None),
        name="api-docs",
    ),
    path("accounts/", include("accounts.urls")),
    *sandbox,
    path("tracks/", include("recommender.urls")),
    path("api/v1/", include("accounts.api_urls")),
    path("api/v1/", include("recommender.api_urls")),
    path("api/v1/", include("stories.api_urls")),
    path("", include("stories.urls")),
]

handler400 = "storify_site.problems.bad_request"
handler403 = "storify_site.problems.permission_denied"
handler404 = "storify_site.problems.not_found"
handler500 = "storify_site.problems.server_error"
