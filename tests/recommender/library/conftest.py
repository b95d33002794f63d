"""People whose library is read from a Spotify on the wire."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from recommender.library import services
from recommender.library.sync import run_sync
from recommender.models import LibrarySync, LibraryTrack
from tests.accounts.spotify.fake_spotify import Handler, refuse
from tests.factories import make_spotify_account, make_user
from tests.recommender.library.fake_library import FakeLibrary


@pytest.fixture
def no_queue(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The users whose task was sent."""
    sent: list[int] = []
    monkeypatch.setattr(services, "enqueue_sync", lambda *, user_id: sent.append(user_id))
    return sent


@pytest.fixture
def user(no_queue: list[int]) -> User:
    """Somebody who has just allowed their library to be read."""
    user = make_user()
    make_spotify_account(user, **allowed())
    services.start_sync(user=user)
    return user


def allowed() -> dict[str, Any]:
    scopes = "user-library-read user-top-read user-read-recently-played playlist-read-private"
    return {"scopes": scopes, "purposes": ["library"], "spotify_id": "me"}


def run(user: User, wire: FakeLibrary, **more: Any) -> LibrarySync:
    run_sync(user_id=user.pk, after_page=more.pop("after_page", lambda _: None), transport=wire,
             **more)  # fmt: skip
    return LibrarySync.objects.get(user=user)


@contextmanager
def deleted_once_claimed(model: type[Model]) -> Iterator[None]:
    """Delete all rows of a model right after its first UPDATE."""

    def execute(run: Any, sql: str, *rest: Any) -> Any:
        result = run(sql, *rest)
        if sql.startswith(f'UPDATE "{model._meta.db_table}"'):
            model._default_manager.all().delete()
        return result

    with connection.execute_wrapper(execute):
        yield


def titles(user: User, source: str) -> list[str]:
    held = LibraryTrack.objects.filter(user=user, source=source).order_by("rank")
    return [one.track.title for one in held.select_related("track")]


def make_token_last(user: User) -> None:
    user.spotify.expires_at = timezone.now() + timedelta(days=2)
    user.spotify.save()


def failing_after(n: int, fails: Handler) -> Callable[[httpx.Request], httpx.Response | None]:
    """Spotify answers `n` calls, then fails."""
    left = [n]

    def answer(request: httpx.Request) -> httpx.Response | None:
        left[0] -= 1
        return fails(request) if left[0] < 0 else None

    return answer


def limited(seconds: int, after: int) -> Callable[[httpx.Request], httpx.Response | None]:
    return failing_after(after, refuse(429, **{"Retry-After": str(seconds)}))
