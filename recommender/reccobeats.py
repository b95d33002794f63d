"""The one client of ReccoBeats, a free database of audio features; no key is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

BASE_URL = "https://api.reccobeats.com/v1"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LIMIT = 40
_TRACK_ADDRESS = "https://open.spotify.com/track/"


class ReccoBeatsError(Exception):
    """No answer, or none that makes sense; `retry_after` in seconds where it was told."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def audio_features(
    track_ids: Sequence[str], *, transport: httpx.BaseTransport | None = None
) -> dict[str, Mapping[str, Any]]:
    """Raw features by Spotify id for up to 40 ids; what is not known there is left out."""
    if not 1 <= len(track_ids) <= LIMIT:
        raise ValueError(f"1 to {LIMIT} tracks at a time")
    wanted = set(track_ids)
    answers = ((_spotify_id(item), item) for item in _get(track_ids, transport))
    return {track_id: item for track_id, item in answers if track_id in wanted}


def _get(
    track_ids: Sequence[str], transport: httpx.BaseTransport | None
) -> list[Mapping[str, Any]]:
    try:
        with httpx.Client(transport=transport, timeout=TIMEOUT) as client:
            response = client.get(f"{BASE_URL}/audio-features", params={"ids": ",".join(track_ids)})
        response.raise_for_status()
        content = response.json()["content"]
    except httpx.HTTPStatusError as error:
        wait = error.response.headers.get("Retry-After", "")
        status = error.response.status_code
        raise ReccoBeatsError(
            f"ReccoBeats answered {status}", int(wait) if wait.isdecimal() else None
        ) from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise ReccoBeatsError("ReccoBeats gave no usable answer") from error
    if not isinstance(content, list):
        raise ReccoBeatsError("ReccoBeats gave no usable answer")
    return [item for item in content if isinstance(item, Mapping)]


def _spotify_id(item: Mapping[str, Any]) -> str:
    """The id in the track's address: ReccoBeats' own `id` is another."""
    return str(item.get("href", "")).removeprefix(_TRACK_ADDRESS).split("?")[0]
