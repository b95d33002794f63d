"""Guard that keeps the sandbox off sites with the real Spotify."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def sandbox_only(view: View[P]) -> View[P]:
    """Answer 404 if the sandbox is off.

    Raises ImproperlyConfigured on a public site with Spotify credentials.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.SPOTIFY_SANDBOX:
            raise Http404
        if settings.SPOTIFY_CLIENT_ID and not settings.DEBUG:
            raise ImproperlyConfigured("SPOTIFY_SANDBOX must be off on a site with real Spotify.")
        return view(request, *args, **kwargs)

    return guarded
