"""Client for the Spotify Web API, limited to what an app in development mode may use in 2026.

    with Spotify(user.spotify) as spotify:
        tracks = spotify.search_tracks("rain").items

Every call may raise SpotifyError or a subclass; those that need a purpose raise MissingScope
without asking Spotify where the listener hasn't allowed it. Call it outside database transactions:
a call may refresh the account's tokens, which must not be rolled back.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from accounts.models import SpotifyAccount
from accounts.spotify import app, budget, circuit_breaker, tokens
from accounts.spotify.errors import (
    BudgetSpent,
    MissingScope,
    NeedsSignIn,
    NotAllowed,
    NotFound,
    NotOnAllowList,
    NotYourPlaylist,
    PremiumNeeded,
    PublicPlaylist,
    RateLimited,
    SpotifyError,
    SpotifyUnavailable,
)
from accounts.spotify.replies import raise_for_status, read
from accounts.spotify.scopes import Purpose
from accounts.spotify.types import (
    AudioFeatures,
    LibraryItem,
    Page,
    Playlist,
    Profile,
    Recent,
    SpotifyArtist,
    SpotifyTrack,
    TopRange,
    library_item,
    playable_track,
    track_uri,
)

__all__ = [
    "AudioFeatures",
    "BudgetSpent",
    "LibraryItem",
    "MissingScope",
    "NeedsSignIn",
    "NotAllowed",
    "NotFound",
    "NotOnAllowList",
    "NotYourPlaylist",
    "Page",
    "Playlist",
    "PremiumNeeded",
    "Profile",
    "PublicPlaylist",
    "RateLimited",
    "Recent",
    "Spotify",
    "SpotifyArtist",
    "SpotifyError",
    "SpotifyTrack",
    "SpotifyUnavailable",
    "TopRange",
]

PAGE_LIMIT = 50
SEARCH_LIMIT = 10
SEARCH_OFFSET_LIMIT = 1000
LIBRARY_LIMIT = 40
PLAYLIST_LIMIT = 100
FEATURES_LIMIT = 100

logger = logging.getLogger(__name__)


class Spotify:
    """Spotify on behalf of one connected account."""

    def __init__(
        self, account: SpotifyAccount, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._account_pk = account.pk
        self._own_id = account.spotify_id
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
        return read(self._call("GET", "/me"), Profile.from_json)

    # --- their music ---

    def saved_tracks(self, offset: int = 0, limit: int = PAGE_LIMIT) -> Page[LibraryItem]:
        """Saved tracks, newest first."""
        response = self._page("/me/tracks", offset, limit, Purpose.LIBRARY)
        return read(response, lambda data: Page.from_json(data, library_item))

    def top_tracks(
        self, range: TopRange, offset: int = 0, limit: int = PAGE_LIMIT
    ) -> Page[SpotifyTrack]:
        """The tracks they play most, best first."""
        more = {"time_range": range.value}
        response = self._page("/me/top/tracks", offset, limit, Purpose.LIBRARY, **more)
        return read(response, lambda data: Page.from_json(data, playable_track))

    def top_artists(
        self, range: TopRange, offset: int = 0, limit: int = PAGE_LIMIT
    ) -> Page[SpotifyArtist]:
        """The artists they play most, best first."""
        more = {"time_range": range.value}
        response = self._page("/me/top/artists", offset, limit, Purpose.LIBRARY, **more)
        return read(response, lambda data: Page.from_json(data, SpotifyArtist.from_json))

    def recently_played(self, before: datetime | None = None, limit: int = PAGE_LIMIT) -> Recent:
        """What they played last, newest first; `before` continues an earlier answer."""
        _require(1 <= limit <= PAGE_LIMIT, f"limit is 1 to {PAGE_LIMIT}")
        params = {"limit": str(limit)}
        if before:
            params["before"] = str(round(before.timestamp() * 1000))
        path = "/me/player/recently-played"
        return read(self._call("GET", path, Purpose.LIBRARY, params=params), Recent.from_json)

    def playlists(self, offset: int = 0, limit: int = PAGE_LIMIT) -> Page[Playlist]:
        """Playlists they own or follow; Spotify opens only their own (`is_own`)."""
        response = self._page("/me/playlists", offset, limit, Purpose.LIBRARY, Purpose.SAVE)
        own_id = self._own_id or self._learn_own_id()
        return read(
            response,
            lambda data: Page.from_json(data, lambda one: Playlist.from_json(one, own_id)),
        )

    def playlist_items(
        self, playlist_id: str, offset: int = 0, limit: int = PAGE_LIMIT
    ) -> Page[LibraryItem]:
        """The tracks of one of their own playlists, in its order."""
        path = f"/playlists/{_segment(playlist_id)}/items"
        response = self._page(path, offset, limit, Purpose.LIBRARY, Purpose.SAVE)
        return read(
            response,
            lambda data: Page.from_json(data, lambda one: library_item(one, "item")),
        )

    # --- the catalogue ---

    def search_tracks(
        self,
        q: str,
        *,
        limit: int = SEARCH_LIMIT,
        offset: int = 0,
        genre: str = "",
        year: str = "",
    ) -> Page[SpotifyTrack]:
        """Tracks that match; `year` is one year or a range such as "1990-1999"."""
        _require(1 <= limit <= SEARCH_LIMIT, f"limit is 1 to {SEARCH_LIMIT}")
        _require(0 <= offset <= SEARCH_OFFSET_LIMIT, f"offset is 0 to {SEARCH_OFFSET_LIMIT}")
        query = " ".join(filter(None, [q.strip(), _filter("genre", genre), _filter("year", year)]))
        params = {"q": query, "type": "track", "limit": str(limit), "offset": str(offset)}
        response = self._call("GET", "/search", params=params)
        return read(response, lambda data: Page.from_json(data["tracks"], playable_track))

    def get_track(self, track_id: str) -> SpotifyTrack:
        return read(self._call("GET", f"/tracks/{_segment(track_id)}"), SpotifyTrack.from_json)

    # --- saving ---

    def save_to_library(self, track_ids: Sequence[str]) -> None:
        self._library("PUT", track_ids)

    def remove_from_library(self, track_ids: Sequence[str]) -> None:
        self._library("DELETE", track_ids)

    def library_contains(self, track_ids: Sequence[str]) -> tuple[bool, ...]:
        """For each track, whether it is in their library."""
        params = {"uris": ",".join(_uris(track_ids, LIBRARY_LIMIT))}
        purposes = (Purpose.SAVE, Purpose.LIBRARY)
        response = self._call("GET", "/me/library/contains", *purposes, params=params)
        return read(response, lambda data: tuple(_flags(data, len(track_ids))))

    def create_playlist(self, name: str, description: str = "") -> Playlist:
        """Create an empty private playlist."""
        body = {"name": name, "description": description, "public": False}
        response = self._call("POST", "/me/playlists", Purpose.SAVE, json=body)
        return read(
            response, lambda data: Playlist.from_json(data, str(data["owner"].get("id") or ""))
        )

    def add_to_playlist(self, playlist_id: str, track_ids: Sequence[str]) -> str:
        """Append tracks and return the playlist's new snapshot id."""
        body = {"uris": _uris(track_ids, PLAYLIST_LIMIT)}
        return self._change_playlist("POST", playlist_id, body)

    def remove_from_playlist(self, playlist_id: str, track_ids: Sequence[str]) -> str:
        """Remove the tracks wherever they stand, and return the new snapshot id."""
        body = {"items": [{"uri": uri} for uri in _uris(track_ids, PLAYLIST_LIMIT)]}
        return self._change_playlist("DELETE", playlist_id, body)

    # --- for apps with extended access ---

    def audio_features(self, track_ids: Sequence[str]) -> list[AudioFeatures]:
        """Audio features of the tracks that have any.

        Raises NotAllowed for apps without extended access.
        """
        _require(1 <= len(track_ids) <= FEATURES_LIMIT, f"1 to {FEATURES_LIMIT} tracks")
        response = self._call("GET", "/audio-features", params={"ids": ",".join(track_ids)})
        return read(
            response,
            lambda data: [AudioFeatures.from_json(f) for f in data["audio_features"] if f],
        )

    # --- the wire ---

    def _library(self, method: str, track_ids: Sequence[str]) -> None:
        params = {"uris": ",".join(_uris(track_ids, LIBRARY_LIMIT))}
        self._call(method, "/me/library", Purpose.SAVE, params=params)

    def _change_playlist(self, method: str, playlist_id: str, body: dict[str, Any]) -> str:
        path = f"/playlists/{_segment(playlist_id)}/items"
        response = self._call(method, path, Purpose.SAVE, json=body)
        return read(response, lambda data: str(data["snapshot_id"]))

    def _page(
        self, path: str, offset: int, limit: int, *purposes: Purpose, **more: str
    ) -> httpx.Response:
        _require(1 <= limit <= PAGE_LIMIT, f"limit is 1 to {PAGE_LIMIT}")
        _require(offset >= 0, "offset is at least 0")
        params = {"limit": str(limit), "offset": str(offset), **more}
        return self._call("GET", path, *purposes, params=params)

    def _learn_own_id(self) -> str:
        """Their Spotify id, which accounts connected by an older version don't have yet."""
        self._own_id = self.me().id
        SpotifyAccount.objects.filter(pk=self._account_pk).update(spotify_id=self._own_id)
        return self._own_id

    def _call(self, method: str, path: str, *purposes: Purpose, **request: Any) -> httpx.Response:
        """Call with a usable token; any one of the purposes is enough."""
        circuit_breaker.check()
        token = tokens.access_token(self._account_pk, *purposes, client=self._http)
        response = self._send(method, path, token, **request)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            token = tokens.access_token(
                self._account_pk, *purposes, client=self._http, rejected=token
            )
            response = self._send(method, path, token, **request)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            tokens.mark_needs_sign_in(self._account_pk)
            raise NeedsSignIn
        try:
            raise_for_status(response, path, purposes)
        except MissingScope:
            tokens.forget_scopes(self._account_pk, purposes)
            raise
        return response

    def _send(self, method: str, path: str, token: str, **request: Any) -> httpx.Response:
        budget.spend(self._account_pk)
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


def _uris(track_ids: Sequence[str], most: int) -> list[str]:
    _require(1 <= len(track_ids) <= most, f"1 to {most} tracks")
    return [track_uri(track_id) for track_id in track_ids]


def _flags(data: list[Any], n: int) -> list[bool]:
    if len(data) != n:
        raise ValueError("as many answers as tracks are expected")
    return [bool(flag) for flag in data]


def _filter(name: str, value: str) -> str:
    """One of Spotify's search filters; a quote in it would end it early."""
    plain = value.replace('"', " ").strip()
    return f'{name}:"{plain}"' if " " in plain else f"{name}:{plain}" if plain else ""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _segment(identifier: str) -> str:
    """An identifier as one escaped path segment."""
    return quote(identifier, safe="")
