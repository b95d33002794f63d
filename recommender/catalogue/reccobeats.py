"""Client for ReccoBeats, a free database of audio features that needs no key.

It is told track ids and, for recommendations, a mood; never anything about a person.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn

import httpx
from django.conf import settings

from accounts.spotify import app
from accounts.web.circuit_breaker import CircuitBreaker, retry_after

BASE_URL = "https://api.reccobeats.com/v1"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
# TIMEOUT doesn't stop a response that trickles in; 40 tracks take about 20 kB.
MAX_SECONDS = 20.0
MAX_BYTES = 1_000_000
LIMIT = 40
MOST_SEEDS = 5
MOST_RECOMMENDATIONS = 100
# How long to stop asking after the service fails or returns nonsense.
PAUSE_AFTER_FAILURE = timedelta(minutes=5)
CIRCUIT_BREAKER = CircuitBreaker("recommender:reccobeats:open")
# Of its own, so that made-up tracks get their mood where ReccoBeats can't be reached.
SANDBOX_CIRCUIT_BREAKER = CircuitBreaker("recommender:reccobeats:sandbox:open")
LIMITING = "ReccoBeats is limiting requests"
_SPOTIFY = "https://open.spotify.com/"
_TOO_MANY = 429
# It says no to something in the request, rather than to the request as such.
_REFUSALS = (400, 404, 422)
# So many ids, each refused by itself, mean that the service has changed.
_TOO_MANY_REFUSED = 8

Item = Mapping[str, Any]


class ReccoBeatsError(Exception):
    """ReccoBeats gave no usable answer, or isn't asked until the time in the message."""


class Refused(ReccoBeatsError):
    """ReccoBeats doesn't accept one of the ids."""


class TrackFacts(NamedTuple):
    isrc: str
    popularity: int | None


class Recommended(NamedTuple):
    spotify_id: str
    title: str
    artists: tuple[str, ...]
    duration_ms: int | None
    isrc: str
    popularity: int | None


@dataclass(frozen=True)
class Service:
    """ReccoBeats, or the sandbox's own for the tracks that it made up; each is asked for its own.

    One that is away doesn't keep the other from answering.
    """

    name: str
    url: str
    circuit_breaker: CircuitBreaker
    is_sandbox: bool = False

    def knows(self, track_ids: Sequence[str]) -> list[str]:
        """Those of the ids that may be asked of it."""
        return [one for one in track_ids if app.is_sandbox_id(one) == self.is_sandbox]


REAL = Service("reccobeats", BASE_URL, CIRCUIT_BREAKER)


def services() -> list[Service]:
    if not settings.SPOTIFY_SANDBOX:
        return [REAL]
    url = f"{settings.SITE_URL}/sandbox/reccobeats/v1"
    return [Service("sandbox", url, SANDBOX_CIRCUIT_BREAKER, is_sandbox=True), REAL]


def audio_features(
    track_ids: Sequence[str],
    *,
    service: Service = REAL,
    transport: httpx.BaseTransport | None = None,
) -> dict[str, Item]:
    """Raw features by Spotify id for up to 40 ids; unknown and refused ids are left out."""
    return _by_id(service, "/audio-features", track_ids, transport)


def tracks(
    track_ids: Sequence[str],
    *,
    service: Service = REAL,
    transport: httpx.BaseTransport | None = None,
) -> dict[str, TrackFacts]:
    """ISRC and popularity by Spotify id for up to 40 ids; unknown and refused ids are left out."""
    found = _by_id(service, "/track", track_ids, transport)
    return {track_id: TrackFacts(_isrc(item), _percent(item)) for track_id, item in found.items()}


def recommendations(
    seed_ids: Sequence[str],
    *,
    valence: float,
    energy: float,
    size: int = 20,
    transport: httpx.BaseTransport | None = None,
) -> list[Recommended]:
    """Tracks like the seeds (1 to 5 Spotify ids) near a mood, at most `size`; [] if refused."""
    _require(1 <= len(seed_ids) <= MOST_SEEDS, f"1 to {MOST_SEEDS} seeds")
    _require(1 <= size <= MOST_RECOMMENDATIONS, f"1 to {MOST_RECOMMENDATIONS} recommendations")
    mood = {"valence": f"{valence:.2f}", "energy": f"{energy:.2f}", "size": str(size)}
    found: list[Item] = []
    errors: list[ReccoBeatsError] = []
    for service in services():
        if seeds := service.knows(seed_ids):
            params = {"seeds": ",".join(seeds), **mood}
            try:
                found += _get(service, "/track/recommendation", params, transport)
            except ReccoBeatsError as error:
                errors.append(error)
    failures = [error for error in errors if not isinstance(error, Refused)]
    if failures and not found:
        raise failures[0]
    usable = (_recommended(item) for item in found)
    return [one for one in usable if one][:size]


def _by_id(
    service: Service, path: str, track_ids: Sequence[str], transport: httpx.BaseTransport | None
) -> dict[str, Item]:
    _require(1 <= len(track_ids) <= LIMIT, f"1 to {LIMIT} tracks at a time")

    def ask(some: Sequence[str]) -> list[Item]:
        return _get(service, path, {"ids": ",".join(some)}, transport)

    asked = service.knows(track_ids)
    items = _halving(asked, ask, service.circuit_breaker) if asked else []
    found = {_spotify_id(item): item for item in items}
    return {track_id: found[track_id] for track_id in asked if track_id in found}


def _halving(
    ids: Sequence[str], ask: Callable[[Sequence[str]], list[Item]], breaker: CircuitBreaker
) -> list[Item]:
    """Ask for all; what is refused is asked for in halves, so that one bad id costs only itself."""
    refused: list[str] = []

    def answers(some: Sequence[str]) -> list[Item]:
        try:
            return ask(some)
        except Refused:
            if len(some) == 1:
                refused.extend(some)
                return []
            middle = len(some) // 2
            return answers(some[:middle]) + answers(some[middle:])

    found = answers(ids)
    if len(refused) == len(ids) >= _TOO_MANY_REFUSED:
        _fail(breaker, "ReccoBeats refuses every track")
    return found


def _get(
    service: Service, path: str, params: dict[str, str], transport: httpx.BaseTransport | None
) -> list[Item]:
    breaker = service.circuit_breaker
    if state := breaker.open_state():
        raise ReccoBeatsError(f"ReccoBeats is paused until {state.until:%H:%M on %d %B}")
    try:
        with (
            httpx.Client(transport=transport, timeout=TIMEOUT) as client,
            client.stream("GET", service.url + path, params=params) as response,
        ):
            if response.status_code == _TOO_MANY:
                _fail(breaker, LIMITING, retry_after(response))
            if response.status_code in _REFUSALS:
                raise Refused(f"ReccoBeats answered {response.status_code}")
            response.raise_for_status()
            content = json.loads(_body(response))["content"]
    except httpx.HTTPStatusError as error:
        _fail(breaker, f"ReccoBeats answered {error.response.status_code}", cause=error)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, RecursionError) as error:
        _fail(breaker, "ReccoBeats gave no usable answer", cause=error)
    if not isinstance(content, list):
        _fail(breaker, "ReccoBeats gave no usable answer")
    return [item for item in content if isinstance(item, Mapping)]


def _body(response: httpx.Response) -> bytes:
    deadline, received = time.monotonic() + MAX_SECONDS, bytearray()
    for piece in response.iter_bytes():
        received += piece
        if len(received) > MAX_BYTES or time.monotonic() > deadline:
            raise ValueError("response too large or too slow")
    return bytes(received)


def _fail(
    breaker: CircuitBreaker,
    message: str,
    pause: timedelta = PAUSE_AFTER_FAILURE,
    cause: Exception | None = None,
) -> NoReturn:
    breaker.open(pause, message)
    raise ReccoBeatsError(message) from cause


def _recommended(item: Item) -> Recommended | None:
    """A recommendation; None without a Spotify id or a title, because nobody could play it."""
    spotify_id, title = _spotify_id(item), item.get("trackTitle")
    if not spotify_id or not isinstance(title, str) or not title:
        return None
    names = (one.get("name") for one in _maps(item.get("artists")))
    duration = item.get("durationMs")
    return Recommended(
        spotify_id=spotify_id,
        title=title,
        artists=tuple(name for name in names if isinstance(name, str) and name),
        duration_ms=duration if isinstance(duration, int) and duration > 0 else None,
        isrc=_isrc(item),
        popularity=_percent(item),
    )


def _maps(value: Any) -> list[Item]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _isrc(item: Item) -> str:
    code = item.get("isrc")
    return code.replace("-", "").strip().upper() if isinstance(code, str) else ""


def _percent(item: Item) -> int | None:
    value = item.get("popularity")
    return value if isinstance(value, int) and 0 <= value <= 100 else None


def _spotify_id(item: Item) -> str:
    """The Spotify id from the track's address; ReccoBeats' own `id` is a different one."""
    address = str(item.get("href", ""))
    if not address.startswith(_SPOTIFY):
        return ""
    return address.split("?", maxsplit=1)[0].rsplit("/", 1)[-1]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
