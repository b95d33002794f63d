"""A listener's music, as Spotify and ReccoBeats answer for it on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.accounts.spotify.fake_spotify import FakeSpotify, me

Json = dict[str, Any]


def spotify_id(number: int) -> str:
    return f"{number:022d}"


def track(number: int, **changed: Any) -> Json:
    return {
        "id": spotify_id(number),
        "type": "track",
        "name": f"Track {number}",
        "artists": [{"name": f"Artist {number}"}],
        "album": {"name": "Album", "release_date": "2020-05", "images": []},
        "duration_ms": 180_000,
        "explicit": False,
        "external_ids": {"isrc": f"NLA32{number:07d}"},
        "external_urls": {"spotify": f"https://open.spotify.com/track/{spotify_id(number)}"},
        **changed,
    }


class FakeLibrary(FakeSpotify):
    """Spotify with one person's music; `fails` may answer a request in its place."""

    def __init__(self, saved: int = 0, top: int = 0, recent: int = 0) -> None:
        super().__init__(api=self.music)
        self.saved: list[Any] = [track(n) for n in range(saved)]
        self.top = [track(n) for n in range(1000, 1000 + top)]
        self.recent = [track(n) for n in range(2000, 2000 + recent)]
        self.playlists: dict[str, list[Any]] = {}
        self.others: list[str] = []
        self.fails: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    @property
    def calls(self) -> int:
        return len(self.asked)

    def music(self, request: httpx.Request) -> httpx.Response:
        if (failure := self.fails(request)) is not None:
            return failure
        path = request.url.path.removeprefix("/sandbox/api").removeprefix("/v1")
        if path == "/me":
            return me()
        return httpx.Response(200, json=self._answer(path, request.url.params))

    def _answer(self, path: str, params: httpx.QueryParams) -> Json:
        offset, limit = int(params.get("offset", 0)), int(params.get("limit", 50))
        if path == "/me/tracks":
            dated = [{"added_at": "2026-01-02T03:04:05Z", "track": one} for one in self.saved]
            return _page(dated, offset, limit)
        if path == "/me/top/tracks":
            return _page(self.top, offset, limit)
        if path == "/me/player/recently-played":
            played = [{"played_at": "2026-11-01T00:00:00Z", "track": one} for one in self.recent]
            return {"items": played, "next": None, "cursors": None, "limit": limit}
        if path == "/me/playlists":
            own = [_playlist(name, len(items)) for name, items in self.playlists.items()]
            followed = [_playlist(name, 9, "other") for name in self.others]
            return _page([*own, *followed], offset, limit)
        items = self.playlists[path.split("/")[2]]
        return _page([{"added_at": None, "item": one} for one in items], offset, limit)


def _page(items: list[Any], offset: int, limit: int) -> Json:
    return {
        "items": items[offset : offset + limit],
        "limit": limit,
        "offset": offset,
        "next": "https://api.spotify.com/more" if offset + limit < len(items) else None,
        "total": len(items),
    }


def _playlist(name: str, n: int, owner: str = "me") -> Json:
    return {"id": name, "name": name, "owner": {"id": owner}, "items": {"total": n}}


class FakeReccoBeats(httpx.MockTransport):
    """Knows the features and popularity of every id but those in `unknown`."""

    def __init__(self, unknown: tuple[str, ...] = (), refused: tuple[str, ...] = ()) -> None:
        super().__init__(self.answer)
        self.unknown, self.refused = unknown, refused
        self.asked: list[httpx.Request] = []
        self.recommended: list[Json] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("/track/recommendation"):
            return httpx.Response(200, json={"content": self.recommended})
        ids = request.url.params["ids"].split(",")
        if set(ids) & set(self.refused):
            return httpx.Response(400, json={"error": "invalid"})
        known = [one for one in ids if one not in self.unknown]
        return httpx.Response(200, json={"content": [self._item(one) for one in known]})

    def _item(self, one: str) -> Json:
        return {
            "id": "own",
            "href": f"https://open.spotify.com/track/{one}",
            "trackTitle": one,
            "isrc": "GBAYE0601498",
            "popularity": 61,
            "valence": 0.6,
            "energy": 0.5,
            "danceability": 0.5,
        }
