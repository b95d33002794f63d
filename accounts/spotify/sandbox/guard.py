from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def sandbox_only(view: View[P]) -> View[P]:
    """Keep the view shut wherever people could take it for the real Spotify."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.SPOTIFY_SANDBOX:
            raise Http404
        if settings.SPOTIFY_CLIENT_ID and not settings.DEBUG:
            raise ImproperlyConfigured("SPOTIFY_SANDBOX must be off on a site with real Spotify.")
        return view(request, *args, **kwargs)

    return guarded
