"""Client for ReccoBeats, a free database of audio features that needs no key."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

import httpx

from accounts.web.circuit_breaker import CircuitBreaker, retry_after

BASE_URL = "https://api.reccobeats.com/v1"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
# TIMEOUT doesn't stop a response that trickles in; 40 tracks take about 20 kB.
MAX_SECONDS = 20.0
MAX_BYTES = 1_000_000
LIMIT = 40
# How long to stop asking after the service fails or returns nonsense.
PAUSE_AFTER_FAILURE = timedelta(minutes=5)
CIRCUIT_BREAKER = CircuitBreaker("recommender:reccobeats:open")
_TRACK_ADDRESS = "https://open.spotify.com/track/"
_TOO_MANY = 429


class ReccoBeatsError(Exception):
    """ReccoBeats gave no usable answer, or isn't asked until the time in the message."""


def audio_features(
    track_ids: Sequence[str], *, transport: httpx.BaseTransport | None = None
) -> dict[str, Mapping[str, Any]]:
    """Raw features by Spotify id for up to 40 ids; unknown ids are left out."""
    if not 1 <= len(track_ids) <= LIMIT:
        raise ValueError(f"1 to {LIMIT} tracks at a time")
    if state := CIRCUIT_BREAKER.open_state():
        raise ReccoBeatsError(f"ReccoBeats is paused until {state.until:%H:%M on %d %B}")
    wanted = set(track_ids)
    answers = ((_spotify_id(item), item) for item in _get(track_ids, transport))
    return {track_id: item for track_id, item in answers if track_id in wanted}


def _get(
    track_ids: Sequence[str], transport: httpx.BaseTransport | None
) -> list[Mapping[str, Any]]:
    url, ids = f"{BASE_URL}/audio-features", {"ids": ",".join(track_ids)}
    try:
        with (
            httpx.Client(transport=transport, timeout=TIMEOUT) as client,
            client.stream("GET", url, params=ids) as response,
        ):
            if response.status_code == _TOO_MANY:
                _fail("ReccoBeats is limiting requests", retry_after(response))
            response.raise_for_status()
            content = json.loads(_body(response))["content"]
    except httpx.HTTPStatusError as error:
        _fail(f"ReccoBeats answered {error.response.status_code}", cause=error)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, RecursionError) as error:
        _fail("ReccoBeats gave no usable answer", cause=error)
    if not isinstance(content, list):
        _fail("ReccoBeats gave no usable answer")
    return [item for item in content if isinstance(item, Mapping)]


def _body(response: httpx.Response) -> bytes:
    deadline, received = time.monotonic() + MAX_SECONDS, bytearray()
    for piece in response.iter_bytes():
        received += piece
        if len(received) > MAX_BYTES or time.monotonic() > deadline:
            raise ValueError("response too large or too slow")
    return bytes(received)


def _fail(
    message: str, pause: timedelta = PAUSE_AFTER_FAILURE, cause: Exception | None = None
) -> NoReturn:
    CIRCUIT_BREAKER.open(pause, message)
    raise ReccoBeatsError(message) from cause


def _spotify_id(item: Mapping[str, Any]) -> str:
    """The Spotify id from the track's address; ReccoBeats' own `id` is a different one."""
    return str(item.get("href", "")).removeprefix(_TRACK_ADDRESS).split("?")[0]
