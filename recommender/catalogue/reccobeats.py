"""The one client of ReccoBeats, a free database of audio features; no key is needed."""

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
# An answer that trickles in would keep within TIMEOUT for ever; 40 tracks are some 20 kB.
LONGEST_SECONDS = 20.0
LARGEST_BYTES = 1_000_000
LIMIT = 40
# A service that is down or talks rubbish is left alone for a while.
PAUSE_AFTER_FAILURE = timedelta(minutes=5)
CIRCUIT_BREAKER = CircuitBreaker("recommender:reccobeats:open")
_TRACK_ADDRESS = "https://open.spotify.com/track/"
_TOO_MANY = 429


class ReccoBeatsError(Exception):
    """No answer, none that makes sense, or none before the time that the message says."""


def audio_features(
    track_ids: Sequence[str], *, transport: httpx.BaseTransport | None = None
) -> dict[str, Mapping[str, Any]]:
    """Raw features by Spotify id for up to 40 ids; what is not known there is left out."""
    if not 1 <= len(track_ids) <= LIMIT:
        raise ValueError(f"1 to {LIMIT} tracks at a time")
    if state := CIRCUIT_BREAKER.open_state():
        raise ReccoBeatsError(f"ReccoBeats isn't called before {state.until:%H:%M on %d %B}")
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
    deadline, received = time.monotonic() + LONGEST_SECONDS, bytearray()
    for piece in response.iter_bytes():
        received += piece
        if len(received) > LARGEST_BYTES or time.monotonic() > deadline:
            raise ValueError("too much, or too slow")
    return bytes(received)


def _fail(
    message: str, pause: timedelta = PAUSE_AFTER_FAILURE, cause: Exception | None = None
) -> NoReturn:
    CIRCUIT_BREAKER.open(pause, message)
    raise ReccoBeatsError(message) from cause


def _spotify_id(item: Mapping[str, Any]) -> str:
    """The id in the track's address: ReccoBeats' own `id` is another."""
    return str(item.get("href", "")).removeprefix(_TRACK_ADDRESS).split("?")[0]
