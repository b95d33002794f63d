"""Every address of the site."""

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from storify_site import health


def app_urls(prefix: str, module: str) -> list[URLPattern | URLResolver]:
    """An app's addresses, as soon as the app has any."""
    return [path(prefix, include(module))] if find_spec(module) else []


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("oauth/", include("social_django.urls", namespace="social")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    *app_urls("accounts/", "accounts.urls"),
    *(app_urls("sandbox/", "accounts.sandbox.urls") if settings.SPOTIFY_SANDBOX else []),
    *app_urls("tracks/", "recommender.urls"),
    *app_urls("api/v1/", "accounts.api_urls"),
    *app_urls("api/v1/", "recommender.api_urls"),
    *app_urls("api/v1/", "stories.api_urls"),
    *app_urls("", "stories.urls"),
]

handler404 = "storify_site.problems.not_found"
handler500 = "storify_site.problems.server_error"
