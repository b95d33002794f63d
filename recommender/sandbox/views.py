"""The sandbox's api.reccobeats.com, and the sound of its songs."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from accounts.spotify.sandbox.guard import sandbox_only
from accounts.spotify.sandbox.songs import Song, by_id
from recommender.catalogue import audio
from recommender.sandbox import music

View = Callable[[HttpRequest], HttpResponse]
MOST_IDS, MOST_SEEDS, MOST_SIZE = 40, 5, 100
# Calls in one span of so many seconds; more are a 429.
SPAN, MOST_CALLS = 10, 200
_ID = re.compile(r"[0-9A-Za-z]{22}")


class BadRequest(Exception):
    """The message is for the answer."""


def _endpoint(view: View) -> View:
    @require_safe
    @sandbox_only
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if wait := _seconds_to_wait():
            return _error(429, "Too many requests", **{"Retry-After": str(wait)})
        try:
            return view(request)
        except BadRequest as reason:
            return _error(400, str(reason))

    return answer


def _seconds_to_wait() -> int:
    now = time.time()
    key = f"sandbox:reccobeats:calls:{int(now // SPAN)}"
    cache.add(key, 0, timeout=2 * SPAN)
    return math.ceil(SPAN - now % SPAN) if cache.incr(key) > MOST_CALLS else 0


def _error(status: int, message: str, **headers: str) -> JsonResponse:
    body = {"status": status, "error": message}
    return JsonResponse(body, status=status, headers=headers)


@_endpoint
def audio_features(request: HttpRequest) -> HttpResponse:
    songs = _known(_ids(request, "ids", MOST_IDS))
    return _content([_features_json(song) for song in songs])


@_endpoint
def tracks(request: HttpRequest) -> HttpResponse:
    return _content([_track_json(song) for song in _known(_ids(request, "ids", MOST_IDS))])


@_endpoint
def recommendation(request: HttpRequest) -> HttpResponse:
    seeds = _known(_ids(request, "seeds", MOST_SEEDS))
    if not seeds:
        raise BadRequest("seeds aren't known")
    size = request.GET.get("size", "10")
    if not size.isascii() or not size.isdigit() or not 1 <= int(size[:9]) <= MOST_SIZE:
        raise BadRequest(f"size is 1 to {MOST_SIZE}")
    valence, energy = _unit(request, "valence", seeds), _unit(request, "energy", seeds)
    found = music.recommended(seeds, valence, energy, int(size))
    return _content([_track_json(song) for song in found])


@require_safe
@sandbox_only
def sound(request: HttpRequest, track_id: str) -> HttpResponse:  # noqa: ARG001
    """The song as a WAV file, for the sandbox's player."""
    song = by_id().get(track_id)
    if song is None:
        raise Http404
    content = audio.wav(music.recipe(song).to_json())
    return HttpResponse(content, content_type="audio/wav")


def _ids(request: HttpRequest, name: str, most: int) -> list[str]:
    ids = [one for one in request.GET.get(name, "").split(",") if one]
    if not 1 <= len(ids) <= most:
        raise BadRequest(f"{name}: 1 to {most}")
    if wrong := next((one for one in ids if not _ID.fullmatch(one)), ""):
        raise BadRequest(f"{wrong} is not an id")
    return ids


def _known(ids: list[str]) -> list[Song]:
    found = (music.known(one) for one in dict.fromkeys(ids))
    return [song for song in found if song]


def _unit(request: HttpRequest, name: str, seeds: list[Song]) -> float:
    """The target, or the seeds' mean where none is given."""
    given = request.GET.get(name)
    if given is None:
        return sum(float(music.features(song)[name]) for song in seeds) / len(seeds)
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise BadRequest(f"{name} is 0 to 1")
    return value


def _content(items: list[dict[str, Any]]) -> JsonResponse:
    return JsonResponse({"content": items})


def _features_json(song: Song) -> dict[str, Any]:
    names = (
        *("acousticness", "danceability", "energy", "instrumentalness", "liveness"),
        *("loudness", "speechiness", "tempo", "valence"),
    )
    values = music.features(song)
    return {"id": music.uuid(song), "href": _href(song)} | {name: values[name] for name in names}


def _track_json(song: Song) -> dict[str, Any]:
    return {
        "id": music.uuid(song),
        "trackTitle": song.title,
        "artists": [{"id": music.uuid(song), "name": song.artist, "href": ""}],
        "durationMs": song.seconds * 1000,
        "isrc": song.isrc,
        "href": _href(song),
        "popularity": music.popularity(song),
    }


def _href(song: Song) -> str:
    return f"https://open.spotify.com/track/{song.id}"
