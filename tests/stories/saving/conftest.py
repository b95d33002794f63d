"""A Spotify on the wire with one listener's library and playlists, and a broker that records."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.spotify.scopes import SCOPES, Purpose
from recommender import services as recommender
from recommender.models import Track
from stories.models import Story
from stories.saving.work import carry_out_save
from stories.services import job_publisher
from tests.factories import make_ready_story, make_spotify_account, make_track, make_user

SONG, OTHER = "6f807x0ima9a1j3VPbc7VN", "1f807x0ima9a1j3VPbc7VM"
OWN_ID = "mira"
HTMX = {"HX-Request": "true"}
ALLOWED = {"purposes": ["save"], "scopes": " ".join(SCOPES[Purpose.SAVE]), "spotify_id": OWN_ID}


def track_json(track_id: str, title: str = "Rain") -> dict[str, Any]:
    return {
        "id": track_id,
        "type": "track",
        "name": title,
        "artists": [{"name": "Ada"}],
        "album": {"name": "Weather", "release_date": "1994-03-01", "images": []},
        "duration_ms": 1000,
        "explicit": False,
        "external_urls": {"spotify": f"https://open.spotify.com/track/{track_id}"},
    }


def page_json(items: list[Any], offset: int = 0, limit: int = 50) -> dict[str, Any]:
    more = offset + limit < len(items)
    return {
        "items": items[offset : offset + limit],
        "total": len(items),
        "offset": offset,
        "limit": limit,
        "next": "https://api.spotify.com/next" if more else None,
    }


@dataclass
class FakeServer:
    """Answers like Spotify; `failing` answers everything instead, `down` nothing at all."""

    library: list[str] = field(default_factory=list)
    playlists: dict[str, tuple[str, str]] = field(default_factory=dict)
    items: dict[str, list[str]] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    found: list[dict[str, Any]] = field(default_factory=list)
    sent: list[httpx.Request] = field(default_factory=list)
    failing: httpx.Response | None = None
    down: bool = False
    before: Callable[[httpx.Request], object] = lambda request: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        self.before(request)
        if self.down:
            raise httpx.ConnectError("no route")
        path = request.url.path.rpartition("/v1")[2]
        return self.failing or self._answer(request, path.strip("/").split("/"))

    def add_playlist(
        self, name: str, *tracks: str, owner: str = OWN_ID, public: bool = False
    ) -> str:
        playlist_id = f"playlist{len(self.playlists)}"
        self.playlists[playlist_id], self.items[playlist_id] = (name, owner), [*tracks]
        self.public |= {playlist_id} if public else set()
        return playlist_id

    def names(self) -> list[str]:
        return [name for name, _ in self.playlists.values()]

    def calls(self, method: str, ending: str) -> int:
        return sum(one.method == method and one.url.path.endswith(ending) for one in self.sent)

    def _answer(self, request: httpx.Request, path: list[str]) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        limit = int(request.url.params.get("limit", 50))
        match path:
            case ["me", "library"]:
                return self._library(request)
            case ["me", "library", "contains"]:
                return httpx.Response(200, json=[one in self.library for one in uris(request)])
            case ["me", "playlists"] if request.method == "POST":
                playlist_id = self.add_playlist(json.loads(request.content)["name"])
                return httpx.Response(201, json=self._playlist(playlist_id))
            case ["me", "playlists"]:
                rows = [self._playlist(one) for one in self.playlists]
                return httpx.Response(200, json=page_json(rows, offset, limit))
            case ["playlists", playlist_id, "items"] if playlist_id in self.playlists:
                return self._items(request, playlist_id, offset, limit)
            case ["search"]:
                return httpx.Response(200, json={"tracks": page_json(self.found, offset, limit)})
            case ["tracks", track_id] if track_id in {one["id"] for one in self.found}:
                (found,) = (one for one in self.found if one["id"] == track_id)
                return httpx.Response(200, json=found)
        return httpx.Response(404, json={"error": {"status": 404, "message": "Not found"}})

    def _library(self, request: httpx.Request) -> httpx.Response:
        rest = [one for one in self.library if one not in uris(request)]
        self.library = rest + (uris(request) if request.method == "PUT" else [])
        return httpx.Response(200)

    def _playlist(self, playlist_id: str) -> dict[str, Any]:
        name, owner = self.playlists[playlist_id]
        return {
            "id": playlist_id,
            "name": name,
            "owner": {"id": owner},
            "public": playlist_id in self.public,
            "items": {"total": len(self.items[playlist_id])},
            "external_urls": {"spotify": f"https://open.spotify.com/playlist/{playlist_id}"},
        }

    def _items(
        self, request: httpx.Request, playlist_id: str, offset: int, limit: int
    ) -> httpx.Response:
        held = self.items[playlist_id]
        if request.method == "GET":
            rows = [{"item": track_json(one), "added_at": None} for one in held]
            return httpx.Response(200, json=page_json(rows, offset, limit))
        if playlist_id in self.public:
            return httpx.Response(403, json={"error": {"message": "Insufficient client scope"}})
        body = json.loads(request.content)
        if request.method == "POST":
            held += [uri.rpartition(":")[2] for uri in body["uris"]]
        else:
            gone = {item["uri"].rpartition(":")[2] for item in body["items"]}
            self.items[playlist_id] = [one for one in held if one not in gone]
        return httpx.Response(201, json={"snapshot_id": "s"})


def uris(request: httpx.Request) -> list[str]:
    return [uri.rpartition(":")[2] for uri in request.url.params["uris"].split(",")]


@pytest.fixture
def spotify(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    wire = httpx.MockTransport(server)
    monkeypatch.setattr(
        httpx.HTTPTransport, "handle_request", lambda self, request: wire.handle_request(request)
    )
    return server


@dataclass
class Worker:
    """Takes what was published; `run` carries it out."""

    waiting: list[UUID] = field(default_factory=list)
    down: bool = False

    def publish(self, save_id: UUID) -> None:
        if self.down:
            raise job_publisher.BrokerUnavailableError
        self.waiting.append(save_id)

    def run(self) -> None:
        while self.waiting:
            carry_out_save(save_id=self.waiting.pop(0))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()
    monkeypatch.setattr(job_publisher, "publish_save", worker.publish)
    return worker


@pytest.fixture
def listener(db: None) -> User:
    return make_spotify_account(make_user(), **ALLOWED).user


@pytest.fixture
def song(db: None) -> Track:
    return make_track(source_id=SONG, title="Rain", artists=["Ada"])


@pytest.fixture
def story(listener: User, song: Track) -> Story:
    """A story with a chosen track that Spotify has."""
    ready = make_ready_story(listener)
    recommender.save_choice(user=listener, story_id=ready.pk, track_id=song.pk)
    return ready


@pytest.fixture
def signed_in(client: Client, listener: User) -> Client:
    client.force_login(listener)
    return client


def url(name: str, story: Story) -> str:
    return reverse(f"stories:{name}", args=[story.pk])


def some_id() -> UUID:
    return uuid4()
