"""Fake Spotify transport for tests of the client."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from django.utils import timezone

from accounts.models import SpotifyAccount
from tests.factories import make_spotify_account

Handler = Callable[[httpx.Request], httpx.Response]


class FakeSpotify(httpx.MockTransport):
    """Counts requests; token requests and API requests have separate handlers."""

    def __init__(self, api: Handler | None = None, token: Handler | None = None) -> None:
        super().__init__(self.answer)
        self.api = api or (lambda request: me())
        self.token = token or (lambda request: grant("access-2"))
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.token(request) if request.url.path.endswith("/api/token") else self.api(request)

    def count(self, ending: str) -> int:
        return sum(request.url.path.endswith(ending) for request in self.asked)


def me() -> httpx.Response:
    return httpx.Response(200, json={"id": "me", "account_id": "a", "display_name": "Me"})


def grant(access: str, **more: str) -> httpx.Response:
    return httpx.Response(200, json={"access_token": access, "expires_in": 3600, **more})


def refuse(status: int, **headers: str) -> Handler:
    body = {"error": {"status": status, "message": "no"}}
    return lambda request: httpx.Response(status, json=body, headers=headers)


def bearer(request: httpx.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


def expired_account(**fields: Any) -> SpotifyAccount:
    return make_spotify_account(**{"expires_at": timezone.now() - timedelta(hours=1), **fields})
