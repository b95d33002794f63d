"""Client for the Spotify Web API, limited to what an app in development mode may use in 2026.

    with Spotify(user.spotify) as spotify:
        tracks = spotify.search_tracks("rain")

Every call may raise SpotifyError or a subclass. Call it outside database transactions: a call may
refresh the account's tokens, which must not be rolled back.
"""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from accounts.models import SpotifyAccount
from accounts.spotify import app, circuit_breaker, tokens
from accounts.spotify.errors import (
    NeedsSignIn,
    NotAllowed,
    NotFound,
    RateLimited,
    SpotifyError,
    SpotifyUnavailable,
)
from accounts.spotify.types import AudioFeatures, Playlist, Profile, SpotifyTrack, track_uri

__all__ = [
    "AudioFeatures",
    "NeedsSignIn",
    "NotAllowed",
    "NotFound",
    "Playlist",
    "Profile",
    "RateLimited",
    "Spotify",
    "SpotifyError",
    "SpotifyTrack",
    "SpotifyUnavailable",
]

SEARCH_LIMIT = 10
LIBRARY_LIMIT = 40
PLAYLIST_LIMIT = 100
FEATURES_LIMIT = 100

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Spotify:
    """Spotify on behalf of one connected account."""

    def __init__(
        self, account: SpotifyAccount, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._account_pk = account.pk
        self._http = httpx.Client(transport=transport, timeout=app.TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def me(self) -> Profile:
        return _read(self._call("GET", "/me"), Profile.from_json)

    def search_tracks(self, q: str, limit: int = SEARCH_LIMIT) -> list[SpotifyTrack]:
        """Tracks that match the query, at most 10, which is Spotify's limit."""
        _require(1 <= limit <= SEARCH_LIMIT, f"limit is 1 to {SEARCH_LIMIT}")
        params = {"q": q, "type": "track", "limit": str(limit)}
        response = self._call("GET", "/search", params=params)
        return _read(
            response, lambda data: [SpotifyTrack.from_json(t) for t in data["tracks"]["items"] if t]
        )

    def get_track(self, track_id: str) -> SpotifyTrack:
        return _read(self._call("GET", f"/tracks/{_segment(track_id)}"), SpotifyTrack.from_json)

    def save_to_library(self, track_ids: Sequence[str]) -> None:
        _require(1 <= len(track_ids) <= LIBRARY_LIMIT, f"1 to {LIBRARY_LIMIT} tracks")
        uris = ",".join(track_uri(track_id) for track_id in track_ids)
        self._call("PUT", "/me/library", params={"uris": uris})

    def create_playlist(self, name: str, description: str = "") -> Playlist:
        """Create an empty private playlist."""
        body = {"name": name, "description": description, "public": False}
        return _read(self._call("POST", "/me/playlists", json=body), Playlist.from_json)

    def add_to_playlist(self, playlist_id: str, track_ids: Sequence[str]) -> str:
        """Append tracks and return the playlist's new snapshot id."""
        _require(1 <= len(track_ids) <= PLAYLIST_LIMIT, f"1 to {PLAYLIST_LIMIT} tracks")
        body = {"uris": [track_uri(track_id) for track_id in track_ids]}
        response = self._call("POST", f"/playlists/{_segment(playlist_id)}/items", json=body)
        return _read(response, lambda data: str(data["snapshot_id"]))

    def audio_features(self, track_ids: Sequence[str]) -> list[AudioFeatures]:
        """Audio features of the tracks that have any.

        Raises NotAllowed for apps without extended access.
        """
        _require(1 <= len(track_ids) <= FEATURES_LIMIT, f"1 to {FEATURES_LIMIT} tracks")
        response = self._call("GET", "/audio-features", params={"ids": ",".join(track_ids)})
        return _read(
            response,
            lambda data: [AudioFeatures.from_json(f) for f in data["audio_features"] if f],
        )

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        circuit_breaker.check()
        token = tokens.access_token(self._account_pk, client=self._http)
        response = self._send(method, path, token, **request)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            token = tokens.access_token(self._account_pk, client=self._http, rejected=token)
            response = self._send(method, path, token, **request)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            tokens.mark_needs_sign_in(self._account_pk)
            raise NeedsSignIn
        _raise_for_status(response)
        return response

    def _send(self, method: str, path: str, token: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(
                method,
                app.api_url(path),
                headers={"Authorization": f"Bearer {token}"},
                **request,
            )
        except httpx.HTTPError as error:
            raise SpotifyUnavailable from error
        # Without the query string: what people search for is private.
        logger.info("Spotify answered %s %s with %s", method, path, response.status_code)
        return response


def _raise_for_status(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise circuit_breaker.open_after(response)
    if response.status_code == HTTPStatus.FORBIDDEN:
        raise NotAllowed
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NotFound
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SpotifyUnavailable
    raise SpotifyError(f"Spotify refused the request ({response.status_code}).")


def _read(response: httpx.Response, parse: Callable[[Any], T]) -> T:
    try:
        return parse(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpotifyUnavailable("Spotify's reply couldn't be read.") from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _segment(identifier: str) -> str:
    return quote(identifier, safe="")
