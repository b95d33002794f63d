"""Fixtures: a site with one row of each kind, and clients with every role."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import User
from accounts.services import issue_api_token
from recommender.models import Track
from recommender.services import suggest_tracks
from stories import services
from stories.models import SpotifySave
from stories.selectors import mood_of
from stories.services import job_publisher
from storify_site.wsgi import application
from tests.factories import make_ready_story, make_ready_video_story, make_track, make_user
from tests.fuzz.requests import Hostile

# The same requests every time, unless somebody asks for another number of them: then others, too.
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "")
fuzzing = hypothesis_settings(
    max_examples=int(EXAMPLES or 600),
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_CSRF = {"Cookie": f"csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32}
BACKEND = "accounts.backends.PasswordBackend"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    content: bytes
    error: BaseException | None


@dataclass(frozen=True)
class Site:
    """Values of URL parameters by name, and the headers of each kind of client."""

    real: Mapping[str, str]
    people: Mapping[str, Mapping[str, str]]

    def send(self, request: Hostile) -> Answer:
        """Send a request, roll its changes back, and return the response."""
        try:
            with transaction.atomic():
                answer = self._answer(request)
                transaction.set_rollback(True)
        finally:
            cache.clear()
        return answer

    def _answer(self, request: Hostile) -> Answer:
        """Call the WSGI application as a server does."""
        errors: list[BaseException | None] = []
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def note(**_: object) -> None:
            errors.append(sys.exc_info()[1])

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            heads.append((status, headers))

        got_request_exception.connect(note)
        try:
            body = application(self._environ(request), start)  # type: ignore[arg-type]
            content = b"".join(body)
            body.close()
        finally:
            got_request_exception.disconnect(note)
        status, headers = heads[0]
        content_type = dict(headers).get("Content-Type", "")
        return Answer(int(status[:3]), content_type, content, errors[0] if errors else None)

    def _environ(self, request: Hostile) -> dict[str, Any]:
        person = self.people[request.who]
        headers = {"Host": "127.0.0.1:8000", "Content-Type": request.content_type}
        headers |= {"Content-Length": str(len(request.body)), **person, **request.headers}
        if "Cookie" in person and "Cookie" in request.headers:
            headers["Cookie"] = f"{person['Cookie']}; {request.headers['Cookie']}"
        path, _, query = request.url(self.real).partition("?")
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.input": BytesIO(request.body),
            **{_in_environ(name): value for name, value in headers.items()},
        }
        setup_testing_defaults(environ)
        return environ


def _in_environ(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


@pytest.fixture
def one_transaction(db: None) -> Iterator[None]:
    """Keep the connection with the test's transaction open after a request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def site(one_transaction: None, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site without throttling or workers."""
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *_: True)
    monkeypatch.setattr(job_publisher, "publish_analysis", lambda _story_id: None)
    person, staff = make_user(), make_user(is_staff=True, is_superuser=True)
    demo = make_track(source=Track.Source.DEMO, recipe=None)
    for _ in range(5):
        make_track()
    token, plain = issue_api_token(user=person, label="a phone")
    story = make_ready_story(person)
    video = make_ready_video_story(person)
    mood = mood_of(story)
    assert mood
    shown = suggest_tracks(user=person, story_id=story.pk, mood=mood)
    choice = services.save_choice(story=story, track_id=demo.pk)
    save = SpotifySave.objects.create(user=person, spotify_id="0" * 22, wanted=True)
    real = {
        "story_id": str(story.pk),
        "save_id": str(save.pk),
        "video_id": str(video.pk),
        "track_id": str(demo.pk),
        "suggestion_id": str(shown[0].pk),
        "pk": str(token.pk),
        "id": str(person.pk),
        "choice": str(choice.pk),
        "backend": "spotify",
        "identifier": "x",
    }
    for model in admin.site._registry:
        if found := model._default_manager.first():
            real[f"/admin/{model._meta.app_label}/{model._meta.model_name}/"] = str(found.pk)
    people = {
        "nobody": _CSRF,
        "person": {**_CSRF, "Cookie": f"{_CSRF['Cookie']}; {_session(person)}"},
        "staff": {**_CSRF, "Cookie": f"{_CSRF['Cookie']}; {_session(staff)}"},
        "program": {"Authorization": f"Token {plain}"},
    }
    return Site(real, people)


def _session(user: User) -> str:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return f"sessionid={client.cookies['sessionid'].value}"
