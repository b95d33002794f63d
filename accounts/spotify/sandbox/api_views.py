"""The sandbox's api.spotify.com: the endpoints that Storify uses, and the closed ones."""

import json
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.spotify.sandbox import catalogue, memory
from accounts.spotify.sandbox.guard import sandbox_only
from accounts.spotify.sandbox.listeners import LISTENERS, Listener

SEARCH_DEFAULT, SEARCH_MAX = 5, 10
LIBRARY_MAX = 40
PLAYLIST_MAX = 100
URI_KINDS = {"track", "album", "episode", "show", "audiobook", "user", "playlist"}

P = ParamSpec("P")
Endpoint = Callable[Concatenate[HttpRequest, Listener, P], HttpResponse]


def endpoint(
    *methods: str, scope: str = "", limited: bool = True
) -> Callable[[Endpoint[P]], Callable[Concatenate[HttpRequest, P], HttpResponse]]:
    """Decorate an API view with authentication, scopes and rate limits."""

    def decorate(view: Endpoint[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @csrf_exempt
        @sandbox_only
        @wraps(view)
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in methods:
                return error(405, "Method not allowed")
            permission = memory.find_access(_bearer(request))
            if permission is None:
                return error(401, "The access token expired")
            listener = LISTENERS[permission.listener]
            refused = _refused(listener, permission, scope=scope, limited=limited)
            return refused or view(request, listener, *args, **kwargs)

        return answer

    return decorate


def _bearer(request: HttpRequest) -> str:
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    return plain if scheme == "Bearer" else ""


def _refused(
    listener: Listener, permission: memory.Permission, *, scope: str, limited: bool
) -> HttpResponse | None:
    if not listener.on_allow_list:
        return error(403, "The user is not registered for this application.")
    if limited and listener.retry_after:
        return _too_many(listener)
    if scope and scope not in permission.scope.split():
        return error(403, "Insufficient client scope")
    return None


def _too_many(listener: Listener) -> HttpResponse:
    body: dict[str, Any] = {"status": 429, "message": "API rate limit exceeded"}
    if listener.quota:
        body["reason"] = "QUOTA_EXCEEDED"
    headers = {"Retry-After": str(listener.retry_after)}
    return JsonResponse({"error": body}, status=429, headers=headers)


def error(status: int, message: str) -> JsonResponse:
    return JsonResponse({"error": {"status": status, "message": message}}, status=status)


@endpoint("GET", limited=False)
def me(_request: HttpRequest, listener: Listener) -> HttpResponse:
    return JsonResponse(_person(listener) | {"account_id": listener.account_id, "images": []})


@endpoint("GET")
def search(request: HttpRequest, _listener: Listener) -> HttpResponse:
    query, kinds = request.GET.get("q", ""), request.GET.get("type", "").split(",")
    if not query:
        return error(400, "No search query")
    if kinds != ["track"]:
        return error(400, "The sandbox has only tracks")
    limit, offset = _number(request, "limit", SEARCH_DEFAULT), _number(request, "offset", 0)
    if limit is None or not 1 <= limit <= SEARCH_MAX:
        return error(400, "Invalid limit")
    if offset is None or not 0 <= offset <= 1000:
        return error(400, "Invalid offset")
    tracks = [catalogue.track_json(track) for track in catalogue.search(query)]
    return JsonResponse({"tracks": _page(tracks, "/search", limit, offset)})


@endpoint("GET")
def track(_request: HttpRequest, _listener: Listener, identifier: str) -> HttpResponse:
    item = catalogue.TRACKS.get(identifier)
    return JsonResponse(catalogue.track_json(item)) if item else error(404, "Resource not found")


@endpoint("PUT", "DELETE", scope="user-library-modify")
def library(request: HttpRequest, listener: Listener) -> HttpResponse:
    uris = [uri for uri in request.GET.get("uris", "").split(",") if uri]
    if not uris or len(uris) > LIBRARY_MAX or not all(map(_is_uri, uris)):
        return error(400, f"1 to {LIBRARY_MAX} Spotify URIs are needed")
    rest = [uri for uri in memory.library(listener.key) if uri not in uris]
    memory.keep_library(listener.key, uris + rest if request.method == "PUT" else rest)
    return HttpResponse()


@endpoint("POST", scope="playlist-modify-private")
def playlists(request: HttpRequest, listener: Listener) -> HttpResponse:
    body = _json(request)
    if not isinstance(body.get("name"), str) or not body["name"]:
        return error(400, "Missing required field: name")
    playlist = memory.Playlist(
        id=secrets.token_hex(11),
        name=body["name"],
        description=str(body.get("description", "")),
        public=bool(body.get("public", True)),
        owner=listener.key,
    )
    memory.keep_playlist(playlist)
    return JsonResponse(_playlist_json(playlist, listener), status=201)


@endpoint("POST", scope="playlist-modify-private")
def playlist_items(request: HttpRequest, listener: Listener, identifier: str) -> HttpResponse:
    playlist = memory.find_playlist(identifier)
    if playlist is None:
        return error(404, "Resource not found")
    if playlist.owner != listener.key:
        return error(403, "You cannot add tracks to a playlist you don't own.")
    uris = _json(request).get("uris")
    if not isinstance(uris, list) or not uris or len(uris) > PLAYLIST_MAX:
        return error(400, f"1 to {PLAYLIST_MAX} Spotify URIs are needed")
    if not all(isinstance(uri, str) and _is_uri(uri) for uri in uris):
        return error(400, "Invalid track uri")
    playlist.uris += uris
    memory.keep_playlist(playlist)
    return JsonResponse({"snapshot_id": playlist.snapshot_id}, status=201)


@endpoint("GET", "PUT", "POST", "DELETE")
def closed(_request: HttpRequest, _listener: Listener, /, **_: str) -> HttpResponse:
    """Deprecated in 2024, or closed to apps in development mode since 2026."""
    return error(403, "This endpoint is not available to this application.")


@csrf_exempt
@sandbox_only
def unknown(_request: HttpRequest, /, **_: str) -> HttpResponse:
    return error(404, "Service not found")


def _number(request: HttpRequest, name: str, default: int) -> int | None:
    value = request.GET.get(name)
    if value is None:
        return default
    return int(value) if value.isascii() and value.isdigit() else None


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_uri(uri: str) -> bool:
    parts = uri.split(":")
    return len(parts) == 3 and parts[0] == "spotify" and parts[1] in URI_KINDS and bool(parts[2])


def _page(items: list[Any], path: str, limit: int, offset: int) -> dict[str, Any]:
    href = f"{settings.SPOTIFY_API_URL}/v1{path}"
    more = offset + limit < len(items)
    return {
        "href": f"{href}?offset={offset}&limit={limit}",
        "items": items[offset : offset + limit],
        "limit": limit,
        "next": f"{href}?offset={offset + limit}&limit={limit}" if more else None,
        "offset": offset,
        "previous": f"{href}?offset={max(0, offset - limit)}&limit={limit}" if offset else None,
        "total": len(items),
    }


def _person(listener: Listener) -> dict[str, Any]:
    return {
        "id": listener.id,
        "display_name": listener.display_name,
        "type": "user",
        "uri": f"spotify:user:{listener.id}",
        "href": f"{settings.SPOTIFY_API_URL}/v1/users/{listener.id}",
        "external_urls": {"spotify": f"https://open.spotify.com/user/{listener.id}"},
    }


def _playlist_json(playlist: memory.Playlist, listener: Listener) -> dict[str, Any]:
    return {
        "id": playlist.id,
        "name": playlist.name,
        "description": playlist.description or None,
        "public": playlist.public,
        "collaborative": False,
        "owner": _person(listener),
        "snapshot_id": playlist.snapshot_id,
        "images": [],
        "items": _page(playlist.uris, f"/playlists/{playlist.id}/items", 100, 0),
        "type": "playlist",
        "uri": f"spotify:playlist:{playlist.id}",
        "href": f"{settings.SPOTIFY_API_URL}/v1/playlists/{playlist.id}",
        "external_urls": {"spotify": f"https://open.spotify.com/playlist/{playlist.id}"},
    }
