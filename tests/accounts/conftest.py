"""Fixtures: HTTP requests to Spotify reach the sandbox in this process."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from django.conf import LazySettings
from django.core import mail
from django.http import HttpResponse
from django.test import Client

from storify_site.celery import app as celery_app

HOST = "127.0.0.1:8000"


class SandboxTransport(httpx.BaseTransport):
    """Passes requests to this site within the process, and so to the sandbox."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = Client().generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type=request.headers.get("Content-Type", ""),
            headers={name: value for name, value in request.headers.items() if name != "cookie"},
        )
        return httpx.Response(
            answer.status_code, headers=dict(answer.items()), content=answer.content
        )


@dataclass
class Wire:
    """Recorded requests, and handlers that answer in place of the sandbox."""

    sent: list[requests.PreparedRequest] = field(default_factory=list)
    timeouts: list[Any] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    failure: Exception | None = None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.sent.append(request)
        self.timeouts.append(options.get("timeout"))
        if self.failure:
            raise self.failure
        path = urlsplit(str(request.url)).path
        if path in self.answers:
            status, headers, body = self.answers[path]
            return _response(request, status, headers, body.encode())
        return self._from_sandbox(request)

    def _from_sandbox(self, request: requests.PreparedRequest) -> requests.Response:
        with httpx.Client(transport=SandboxTransport()) as client:
            answer = client.request(
                str(request.method),
                str(request.url),
                headers={name: str(value) for name, value in request.headers.items()},
                content=request.body,  # type: ignore[arg-type]
            )
        return _response(request, answer.status_code, dict(answer.headers), answer.content)


def _response(
    request: requests.PreparedRequest, status: int, headers: dict[str, str], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.request = request
    response.url = str(request.url)
    response.status_code = status
    response.headers.update(headers)
    response._content = body
    return response


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Wire:
    """Route social-auth's requests to the sandbox."""
    assert settings.SPOTIFY_SANDBOX
    wire = Wire()
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", wire.send)
    return wire


@pytest.fixture
def sandbox_transport() -> SandboxTransport:
    """Route the Spotify client's requests to the sandbox."""
    return SandboxTransport()


@pytest.fixture
def browser() -> Client:
    """A client at the address to which Spotify redirects."""
    return new_browser()


def new_browser(**options: Any) -> Client:
    return Client(headers={"host": HOST}, **options)


def walk_to_callback(browser: Client, listener: str, **data: str) -> str:
    """Start the sign-in, choose a listener, and return the callback's address."""
    begin = browser.post("/accounts/spotify/connect/", data)
    assert begin.status_code == 302, begin.content
    consent = local(begin["Location"])
    page = browser.get(consent)
    assert page.status_code == 200, page.content
    answer = browser.post(consent, {"listener": listener})
    assert answer.status_code == 302
    return local(answer["Location"])


def sign_in_with_spotify(browser: Client, listener: str = "mira", **data: str) -> HttpResponse:
    return browser.get(walk_to_callback(browser, listener, **data))  # type: ignore[return-value]


def allow(browser: Client, purpose: str, listener: str = "mira", **data: str) -> HttpResponse:
    """Allow a purpose on our own page, and then at Spotify."""
    page = f"/accounts/spotify/allow/{purpose}/"
    begin = browser.post(page, {"spotify_purpose": purpose, **data})
    assert begin.status_code == 302, begin.content
    answer = browser.post(local(begin["Location"]), {"listener": listener})
    return browser.get(local(answer["Location"]))  # type: ignore[return-value]


def local(url: str) -> str:
    """The address without scheme and host, which must be this site's."""
    parts = urlsplit(url)
    assert parts.netloc in ("", HOST), url
    return f"{parts.path}?{parts.query}"


@pytest.fixture(autouse=True)
def no_worker_needed() -> Iterator[None]:
    """Send mail at once, in this process."""
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


def mailed_link() -> str:
    """The path of the first link in the newest mail."""
    link = re.search(r"http://\S+", str(mail.outbox[-1].body))
    assert link
    return local(link.group()).rstrip("?")
