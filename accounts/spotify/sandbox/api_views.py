"""The sandbox's api.spotify.com: profile, search, tracks, and what is closed."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.spotify.sandbox import catalogue
from accounts.spotify.sandbox.endpoints import (
    NOT_AVAILABLE,
    Refusal,
    endpoint,
    error,
    number,
    page,
    person,
)
from accounts.spotify.sandbox.guard import sandbox_only
from accounts.spotify.sandbox.listeners import Listener
from accounts.spotify.sandbox.songs import by_id

SEARCH_DEFAULT, SEARCH_MAX, SEARCH_OFFSET_MAX = 5, 10, 1000


@endpoint("GET", limited=False)
def me(_request: HttpRequest, listener: Listener) -> HttpResponse:
    return JsonResponse(person(listener) | {"account_id": listener.account_id, "images": []})


@endpoint("GET")
def search(request: HttpRequest, _listener: Listener) -> HttpResponse:
    query, kinds = request.GET.get("q", "").strip(), request.GET.get("type", "").split(",")
    if not query:
        raise Refusal("No search query")
    if kinds != ["track"]:
        raise Refusal("The sandbox has only tracks")
    limit = number(request, "limit", SEARCH_DEFAULT, low=1, high=SEARCH_MAX)
    offset = number(request, "offset", 0, high=SEARCH_OFFSET_MAX)
    found = catalogue.search(query)
    return JsonResponse({"tracks": page(found, "/search", limit, offset, catalogue.track_json)})


@endpoint("GET")
def track(_request: HttpRequest, _listener: Listener, identifier: str) -> HttpResponse:
    song = by_id().get(identifier)
    return JsonResponse(catalogue.track_json(song)) if song else error(404, "Resource not found")


@endpoint("GET", "PUT", "POST", "DELETE")
def closed(_request: HttpRequest, _listener: Listener, /, **_: str) -> HttpResponse:
    """Deprecated in 2024, or closed to apps in development mode since 2026."""
    raise Refusal(NOT_AVAILABLE, status=403)


@endpoint("GET", "PUT", "DELETE")
def only_read(request: HttpRequest, _listener: Listener, /, **_: str) -> HttpResponse:
    """What is still open to read, but has nothing here, and is no longer changed like this."""
    if request.method == "GET":
        return error(404, "Service not found")
    raise Refusal(NOT_AVAILABLE, status=403)


@csrf_exempt
@sandbox_only
def unknown(_request: HttpRequest, /, **_: str) -> HttpResponse:
    return error(404, "Service not found")
