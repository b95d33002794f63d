"""Spotify's replies: which error a refusal is, and what a success says."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from accounts.spotify import circuit_breaker
from accounts.spotify.errors import (
    MissingScope,
    NotAllowed,
    NotFound,
    NotOnAllowList,
    NotYourPlaylist,
    PremiumNeeded,
    PublicPlaylist,
    SpotifyError,
    SpotifyUnavailable,
)
from accounts.spotify.scopes import Purpose

T = TypeVar("T")


def read(response: httpx.Response, parse: Callable[[Any], T]) -> T:
    """The parsed body; raises SpotifyUnavailable for one that makes no sense."""
    try:
        return parse(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpotifyUnavailable("Spotify sent an unexpected answer.") from error


def raise_for_status(response: httpx.Response, path: str, purposes: Sequence[Purpose]) -> None:
    if response.is_success:
        return
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise circuit_breaker.open_after(response)
    if response.status_code == HTTPStatus.FORBIDDEN:
        raise _refusal(response, path, purposes)
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NotFound
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SpotifyUnavailable
    raise SpotifyError(f"Spotify refused the request ({response.status_code}).")


def _refusal(response: httpx.Response, path: str, purposes: Sequence[Purpose]) -> NotAllowed:
    """Which refusal a 403 is: only its text tells, which may be JSON or plain."""
    said = response.text.lower()
    if "premium" in said:
        return PremiumNeeded()
    if "scope" in said and path.startswith("/playlists/") and response.request.method != "GET":
        return PublicPlaylist()  # nobody gets here without the scope for private ones
    if "scope" in said and purposes:
        return MissingScope(purposes[0])
    if path == "/me" or ("user" in said and "registered" in said):
        return NotOnAllowList()
    return NotYourPlaylist() if path.startswith("/playlists/") else NotAllowed()
