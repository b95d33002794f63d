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
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("accounts/", include("accounts.urls")),
    *sandbox,
    path("tracks/", include("recommender.urls")),
    path("api/v1/", include("accounts.api_urls")),
    path("api/v1/", include("recommender.api_urls")),
    path("api/v1/", include("stories.api_urls")),
    path("", include("stories.urls")),
]

handler404 = "storify_site.problems.not_found"
handler500 = "storify_site.problems.server_error"
