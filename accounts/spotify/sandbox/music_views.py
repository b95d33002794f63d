"""The sandbox's api.spotify.com: a listener's library, history and playlists."""

import secrets
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from accounts.spotify.sandbox import catalogue, libraries, memory
from accounts.spotify.sandbox.endpoints import (
    NOT_AVAILABLE,
    PAGE_DEFAULT,
    PAGE_MAX,
    Refusal,
    body_of,
    endpoint,
    error,
    need_scope,
    number,
    page,
    paged,
    person,
    uris_of,
)
from accounts.spotify.sandbox.listeners import LISTENERS, Listener
from accounts.spotify.sandbox.songs import NAMED, by_id, sandbox_id

LIBRARY_MAX = 40
PLAYLIST_MAX = 100
RANGES = ("short_term", "medium_term", "long_term")
# Saved under another id, which Spotify answers with this one.
RELINKED = {NAMED[1].id: sandbox_id("an older release")}


@endpoint("GET", "PUT", "DELETE", scope={"GET": "user-library-read"})
def saved_tracks(request: HttpRequest, listener: Listener) -> HttpResponse:
    """Their saved tracks; `library` is where these are changed."""
    if request.method != "GET":
        raise Refusal(NOT_AVAILABLE, status=403)
    return JsonResponse(paged(request, "/me/tracks", _songs_saved(listener), _saved_json))


def _songs_saved(listener: Listener) -> list[memory.Entry]:
    return [one for one in memory.entries(listener.key) if _id(one[0]) in by_id()]


def _saved_json(entry: memory.Entry) -> dict[str, Any]:
    return {"added_at": entry[1], "track": _track_json(_id(entry[0]))}


def _track_json(identifier: str) -> dict[str, Any]:
    older = RELINKED.get(identifier, "")
    return catalogue.track_json(by_id()[identifier], linked_from=older)


@endpoint("GET", scope="user-top-read")
def top_tracks(request: HttpRequest, listener: Listener) -> HttpResponse:
    songs = libraries.top(listener, _range(request))
    return JsonResponse(paged(request, "/me/top/tracks", songs, catalogue.track_json))


@endpoint("GET", scope="user-top-read")
def top_artists(request: HttpRequest, listener: Listener) -> HttpResponse:
    names = dict.fromkeys(song.artist for song in libraries.top(listener, _range(request)))
    return JsonResponse(paged(request, "/me/top/artists", [*names], catalogue.artist_json))


def _range(request: HttpRequest) -> str:
    span = request.GET.get("time_range", "medium_term")
    if span not in RANGES:
        raise Refusal("Invalid time range")
    return span


@endpoint("GET", scope="user-read-recently-played")
def recently_played(request: HttpRequest, listener: Listener) -> HttpResponse:
    """Pages by cursor: `before` and `after` are times in milliseconds."""
    if "before" in request.GET and "after" in request.GET:
        raise Refusal("Specify either before or after, but not both")
    limit = number(request, "limit", PAGE_DEFAULT, low=1, high=PAGE_MAX)
    before, after = number(request, "before", 10**15), number(request, "after", 0)
    plays = [(s, at) for s, at in libraries.played(listener) if after < _ms(at) < before]
    href = f"{settings.SPOTIFY_API_URL}/v1/me/player/recently-played"
    shown, answer = plays[:limit], {"href": href, "limit": limit}
    if shown:
        cursors = {"after": str(_ms(shown[0][1])), "before": str(_ms(shown[-1][1]))}
        answer["cursors"] = cursors
        if len(plays) > limit:
            answer["next"] = f"{href}?before={cursors['before']}&limit={limit}"
    items = [{"track": catalogue.track_json(song), "played_at": _precise(at)} for song, at in shown]
    return JsonResponse(answer | {"items": items})


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _precise(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@endpoint("PUT", "DELETE", scope="user-library-modify")
def library(request: HttpRequest, listener: Listener) -> HttpResponse:
    uris = uris_of(_listed(request), LIBRARY_MAX)
    rest = [entry for entry in memory.entries(listener.key) if entry[0] not in uris]
    now = libraries.timestamp(timezone.now())
    new = [(uri, now) for uri in uris] if request.method == "PUT" else []
    memory.keep_library(listener.key, new + rest)
    return HttpResponse()


@endpoint("GET", scope="user-library-read")
def library_contains(request: HttpRequest, listener: Listener) -> HttpResponse:
    known = {*memory.library(listener.key)}
    uris = uris_of(_listed(request), LIBRARY_MAX)
    return JsonResponse([uri in known for uri in uris], safe=False)


def _listed(request: HttpRequest) -> list[str]:
    return [uri for uri in request.GET.get("uris", "").split(",") if uri]


@endpoint("GET", "POST", scope={"GET": "playlist-read-private"})
def playlists(request: HttpRequest, listener: Listener) -> HttpResponse:
    if request.method == "GET":
        found = memory.playlists(listener.key)
        return JsonResponse(paged(request, "/me/playlists", found, _playlist_json))
    body = body_of(request)
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise Refusal("Missing required field: name")
    is_public = bool(body.get("public", True))
    need_scope(request, _scope_to_change(is_public))
    playlist = memory.Playlist(
        id=sandbox_id(secrets.token_hex(11)),
        name=body["name"],
        description=str(body.get("description", "")),
        public=is_public,
        owner=listener.key,
    )
    memory.keep_playlist(playlist)
    path = f"/playlists/{playlist.id}/items"
    items = page(playlist.entries, path, 100, 0, _item_json)
    return JsonResponse(_playlist_json(playlist) | {"items": items}, status=201)


def _scope_to_change(is_public: bool) -> str:
    return "playlist-modify-public" if is_public else "playlist-modify-private"


@endpoint("GET", "POST", "DELETE", scope={"GET": "playlist-read-private"})
def playlist_items(request: HttpRequest, listener: Listener, identifier: str) -> HttpResponse:
    playlist = memory.find_playlist(identifier)
    if playlist is None:
        return error(404, "Resource not found")
    if playlist.owner != listener.key:
        return error(403, "Forbidden")
    if request.method == "GET":
        path = f"/playlists/{identifier}/items"
        return JsonResponse(paged(request, path, playlist.entries, _item_json))
    need_scope(request, _scope_to_change(playlist.public))
    if request.method == "DELETE":
        gone = uris_of([one.get("uri") for one in _items(request)], PLAYLIST_MAX)
        playlist.entries = [one for one in playlist.entries if one[0] not in gone]
    else:
        now = libraries.timestamp(timezone.now())
        uris = uris_of(body_of(request).get("uris"), PLAYLIST_MAX)
        playlist.entries += [(uri, now) for uri in uris]
    memory.keep_playlist(playlist)
    status = 201 if request.method == "POST" else 200
    return JsonResponse({"snapshot_id": playlist.snapshot_id}, status=status)


def _items(request: HttpRequest) -> list[dict[str, Any]]:
    items = body_of(request).get("items")
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise Refusal("Missing required field: items")
    return items


def _item_json(entry: memory.Entry) -> dict[str, Any]:
    """A PlaylistTrackObject; what is gone is null, which Spotify's documents don't mention."""
    uri, added_at = entry
    if uri == libraries.EPISODE:
        item: Any = catalogue.episode_json()
    elif uri == libraries.LOCAL:
        item = catalogue.local_file_json()
    else:
        item = _track_json(_id(uri)) if _id(uri) in by_id() else None
    return {"added_at": added_at, "is_local": uri == libraries.LOCAL, "item": item}


def _playlist_json(playlist: memory.Playlist) -> dict[str, Any]:
    href = f"{settings.SPOTIFY_API_URL}/v1/playlists/{playlist.id}"
    return {
        "id": playlist.id,
        "name": playlist.name,
        "description": playlist.description,
        "public": playlist.public,
        "collaborative": False,
        "owner": person(LISTENERS[playlist.owner]),
        "snapshot_id": playlist.snapshot_id,
        "images": [],
        "items": {"href": f"{href}/items", "total": len(playlist.entries)},
        "type": "playlist",
        "uri": f"spotify:playlist:{playlist.id}",
        "href": href,
        "external_urls": {"spotify": f"https://open.spotify.com/playlist/{playlist.id}"},
    }


def _id(uri: str) -> str:
    return uri.rpartition(":")[2]
