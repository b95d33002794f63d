"""Readings that fail or wait: for whom, until when, and where they go on."""

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import connect_spotify
from accounts.spotify.tokens import Grant
from accounts.spotify.types import Profile
from recommender.library import selectors, services
from recommender.library.progress import progress_of
from recommender.library.store import LIFETIME
from recommender.library.sync import run_sync
from recommender.models import LibrarySync
from tests.accounts.spotify.fake_spotify import refuse
from tests.recommender.library.conftest import (
    deleted_once_claimed,
    failing_after,
    limited,
    make_token_last,
    run,
)
from tests.recommender.library.fake_library import FakeLibrary

pytestmark = pytest.mark.django_db(transaction=True)
State = LibrarySync.State


def test_a_failing_spotify_is_tried_again_later(user: User) -> None:
    wire = FakeLibrary(saved=60)
    wire.fails = refuse(503)
    sync = run(user, wire)
    assert (sync.state, sync.error) == (State.WAITING, "Spotify can't be reached right now.")
    assert sync.next_at is not None
    assert sync.next_at > timezone.now()


def test_disconnecting_just_after_the_claim_ends_the_reading(user: User) -> None:
    wire = FakeLibrary(saved=1)
    with deleted_once_claimed(LibrarySync):
        assert run_sync(user_id=user.pk, after_page=lambda _: None, transport=wire) is None
    assert wire.calls == 0


def test_a_missing_permission_needs_the_person(user: User) -> None:
    user.spotify.purposes = []
    user.spotify.save()
    wire = FakeLibrary(saved=1)
    sync = run(user, wire)
    assert sync.state == State.FAILED
    assert "Use my Spotify music" in sync.error
    assert (sync.next_at, wire.calls) == (None, 0)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Active premium subscription required for the owner of the app.", "Premium"),
        ("User not registered in the Developer Dashboard", "isn't on it"),
    ],
)
def test_what_only_the_operator_can_mend_is_looked_at_again_after_a_day(
    user: User, said: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = FakeLibrary(saved=1)
    wire.fails = lambda request: httpx.Response(403, text=said)
    sync = run(user, wire)
    assert (sync.state, shown in sync.error) == (State.WAITING, True)
    assert progress_of(user)["may_try_again"]
    wire.fails = lambda request: None
    assert run(user, wire).state == State.WAITING
    later = timezone.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    make_token_last(user)
    assert services.continue_syncs() == 1
    assert run(user, wire).state == State.DONE


def begin_and_fail(user: User, wire: FakeLibrary) -> None:
    """Read two pages, of which the second is not the last; then the connection expires."""
    wire.fails = failing_after(2, refuse(401))
    assert run(user, wire).state == State.FAILED
    user.spotify.refresh_from_db()
    user.spotify.needs_sign_in = False
    user.spotify.save()
    wire.fails = lambda request: None


def test_a_pass_that_failed_midway_starts_over(user: User) -> None:
    wire = FakeLibrary(saved=120, top=1)
    begin_and_fail(user, wire)
    n, failed_at = wire.calls, timezone.now()
    services.start_sync(user=user)
    sync = run(user, wire)
    assert wire.asked[n].url.path.endswith("/me/top/tracks")
    assert (sync.state, sync.n_read) == (State.DONE, 123)
    assert sync.started_at >= failed_at


def test_a_pass_older_than_a_refresh_starts_over(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = FakeLibrary(saved=120)
    wire.fails = limited(60, after=2)
    assert run(user, wire).state == State.WAITING
    later = timezone.now() + timedelta(days=29)
    monkeypatch.setattr(timezone, "now", lambda: later)
    make_token_last(user)
    wire.fails = lambda request: None
    assert run(user, wire).state == State.DONE
    assert selectors.library_size(user) == 120
    assert selectors.expiry_of(user) == later + LIFETIME


def test_connecting_again_resumes_a_reading_whose_connection_expired(
    user: User, no_queue: list[int]
) -> None:
    user.spotify.needs_sign_in = True
    user.spotify.save()
    wire = FakeLibrary(saved=1)
    sync = run(user, wire)
    assert (sync.state, sync.next_at) == (State.FAILED, None)
    no_queue.clear()
    connect_again(user)
    assert no_queue == [user.pk]
    assert run(user, wire).state == State.DONE


def test_connecting_again_reads_nothing_that_was_deleted(user: User, no_queue: list[int]) -> None:
    services.delete_library(user=user)
    user.spotify.needs_sign_in = True
    user.spotify.save()
    no_queue.clear()
    connect_again(user)
    assert no_queue == []


def connect_again(user: User) -> None:
    account = user.spotify
    profile = Profile(account.account_id, account.spotify_id, account.display_name)
    connect_spotify(user=user, profile=profile, grant=Grant("a", "r", 3600, account.scopes))
