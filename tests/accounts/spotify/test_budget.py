"""The budget of calls to Spotify: per person, per app, and a reserve for sign-in."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from accounts.spotify import budget
from accounts.spotify.client import BudgetSpent, RateLimited, Spotify
from tests.accounts.spotify.fake_spotify import FakeSpotify
from tests.factories import make_spotify_account

NOON = datetime(2026, 11, 28, 12, 0, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def limits(settings: LazySettings) -> LazySettings:
    settings.SPOTIFY_CALLS_PER_HALF_MINUTE, settings.SPOTIFY_CALLS_PER_DAY = 10, 20
    settings.SPOTIFY_PERSON_CALLS_PER_HALF_MINUTE = 4
    settings.SPOTIFY_PERSON_CALLS_PER_DAY = 6
    settings.SPOTIFY_RESERVE = 0.2
    return settings


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    now = {"is": NOON.timestamp()}
    monkeypatch.setattr(time, "time", lambda: now["is"])
    return now


def spend(person: int | None, times: int, *, sign_in: bool = False) -> int:
    """Spend up to so many times; return how often it was allowed."""
    for done in range(times):
        try:
            budget.spend(person, sign_in=sign_in)
        except BudgetSpent:
            return done
    return times


def test_one_person_cannot_spend_what_others_need(clock: dict[str, float]) -> None:
    assert spend(1, 9) == 4
    assert spend(2, 9) == 4


def test_a_share_is_kept_for_sign_in(clock: dict[str, float]) -> None:
    assert [spend(person, 3) for person in (1, 2, 3)] == [3, 3, 2]
    assert spend(None, 9, sign_in=True) == 2


def test_calls_are_forgotten_after_the_window_and_not_before(clock: dict[str, float]) -> None:
    spend(1, 4)

    clock["is"] += 29
    assert spend(1, 1) == 0
    clock["is"] += 7
    assert spend(1, 9) == 2, "the day's six are spent now"
    clock["is"] += 23 * 3600
    assert spend(1, 1) == 0
    clock["is"] += 2 * 3600
    assert spend(1, 1) == 1


def test_it_says_when_there_is_room_again(clock: dict[str, float]) -> None:
    spend(1, 4)
    with pytest.raises(BudgetSpent) as short:
        budget.spend(1)
    clock["is"] = short.value.until.timestamp()
    spend(1, 2)
    with pytest.raises(BudgetSpent) as long:
        budget.spend(1)

    assert timedelta(seconds=30) <= short.value.until - NOON <= timedelta(seconds=40)
    assert timedelta(hours=24) <= long.value.until - NOON <= timedelta(hours=26)
    clock["is"] = long.value.until.timestamp()
    assert spend(1, 1) == 1


def test_a_refused_call_is_not_counted(clock: dict[str, float]) -> None:
    spend(1, 50)

    clock["is"] += 36
    assert spend(1, 1) == 1


@pytest.mark.django_db
def test_the_client_spends_before_it_asks(limits: LazySettings) -> None:
    limits.SPOTIFY_PERSON_CALLS_PER_HALF_MINUTE = 2
    wire = FakeSpotify()

    with Spotify(make_spotify_account(), transport=wire) as spotify:
        spotify.me()
        spotify.me()
        with pytest.raises(RateLimited, match="try again in 1 minute"):
            spotify.me()

    assert len(wire.asked) == 2
