"""What all endpoints of the sandbox's api.spotify.com share."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.spotify.sandbox import memory
from accounts.spotify.sandbox.guard import sandbox_only
from accounts.spotify.sandbox.listeners import LISTENERS, Listener

PAGE_DEFAULT, PAGE_MAX = 20, 50
NO_SCOPE = "Insufficient client scope"
NOT_AVAILABLE = "This endpoint is not available to this application."
URI_KINDS = {"track", "album", "episode", "show", "audiobook", "user", "playlist"}

P = ParamSpec("P")
Endpoint = Callable[Concatenate[HttpRequest, Listener, P], HttpResponse]


class Refusal(Exception):
    """A parameter is wrong, or a scope is missing; the message is Spotify's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def endpoint(
    *methods: str, scope: str | Mapping[str, str] = "", limited: bool = True
) -> Callable[[Endpoint[P]], Callable[Concatenate[HttpRequest, P], HttpResponse]]:
    """Decorate an API view with authentication, scopes (by method) and rate limits."""

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
            needed = scope if isinstance(scope, str) else scope.get(str(request.method), "")
            listener = LISTENERS[permission.listener]
            refused = _refused(listener, permission, scope=needed, limited=limited)
            try:
                return refused or view(request, listener, *args, **kwargs)
            except Refusal as reason:
                return error(reason.status, str(reason))

        return answer

    return decorate


def _bearer(request: HttpRequest) -> str:
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    return plain if scheme == "Bearer" else ""


def need_scope(request: HttpRequest, scope: str) -> None:
    """Check a scope that depends on more than the method; raises Refusal."""
    permission = memory.find_access(_bearer(request))
    if permission is None or scope not in permission.scope.split():
        raise Refusal(NO_SCOPE, status=403)


def _refused(
    listener: Listener, permission: memory.Permission, *, scope: str, limited: bool
) -> HttpResponse | None:
    if not listener.on_allow_list:
        # As it comes from Spotify: plain text, where everything else is JSON.
        text = "User not registered in the Developer Dashboard"
        return HttpResponse(text, status=403, content_type="text/plain")
    if not listener.owner_has_premium:
        return error(403, "Active premium subscription required for the owner of the app.")
    if limited and listener.retry_after and _is_over(listener):
        return _too_many(listener)
    if scope and scope not in permission.scope.split():
        return error(403, NO_SCOPE)
    return None


def _is_over(listener: Listener) -> bool:
    return memory.count_call(listener.key) % listener.limit_every == 0


def _too_many(listener: Listener) -> HttpResponse:
    body: dict[str, Any] = {"status": 429, "message": "API rate limit exceeded"}
    if listener.quota:
        body["reason"] = "QUOTA_EXCEEDED"
    headers = {"Retry-After": str(listener.retry_after)}
    return JsonResponse({"error": body}, status=429, headers=headers)


def error(status: int, message: str) -> JsonResponse:
    return JsonResponse({"error": {"status": status, "message": message}}, status=status)


def number(
    request: HttpRequest, name: str, default: int, *, low: int = 0, high: int | None = None
) -> int:
    """A number from the query; raises Refusal for one that Spotify wouldn't take."""
    value = request.GET.get(name)
    if value is None:
        return default
    found = int(value) if value.isascii() and value.isdigit() and len(value) < 16 else -1
    if found < low or (high is not None and found > high):
        raise Refusal(f"Invalid {name}")
    return found


def body_of(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def uris_of(value: Any, most: int) -> list[str]:
    """1 to `most` Spotify URIs; raises Refusal."""
    if not isinstance(value, list) or not value or len(value) > most:
        raise Refusal(f"1 to {most} Spotify URIs are needed")
    if not all(isinstance(uri, str) and _is_uri(uri) for uri in value):
        raise Refusal("Invalid Spotify URI")
    return value


def _is_uri(uri: str) -> bool:
    parts = uri.split(":")
    return len(parts) == 3 and parts[0] == "spotify" and parts[1] in URI_KINDS and bool(parts[2])


def paged(request: HttpRequest, path: str, items: list[Any], to_json: Callable[[Any], Any]) -> Any:
    """The page of `items` that the query asks for, as a PagingObject."""
    limit = number(request, "limit", PAGE_DEFAULT, low=1, high=PAGE_MAX)
    return page(items, path, limit, number(request, "offset", 0), to_json)


def page(
    items: list[Any], path: str, limit: int, offset: int, to_json: Callable[[Any], Any]
) -> dict[str, Any]:
    href = f"{settings.SPOTIFY_API_URL}/v1{path}"
    more = offset + limit < len(items)
    return {
        "href": f"{href}?offset={offset}&limit={limit}",
        "items": [to_json(item) for item in items[offset : offset + limit]],
        "limit": limit,
        "next": f"{href}?offset={offset + limit}&limit={limit}" if more else None,
        "offset": offset,
        "previous": f"{href}?offset={max(0, offset - limit)}&limit={limit}" if offset else None,
        "total": len(items),
    }


def person(listener: Listener) -> dict[str, Any]:
    return {
        "id": listener.id,
        "display_name": listener.display_name,
        "type": "user",
        "uri": f"spotify:user:{listener.id}",
        "href": f"{settings.SPOTIFY_API_URL}/v1/users/{listener.id}",
        "external_urls": {"spotify": f"https://open.spotify.com/user/{listener.id}"},
    }
