import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import SpotifyAccount
from accounts.spotify import circuit_breaker
from accounts.spotify.client import (
    RateLimited,
    Spotify,
)
from tests.accounts.conftest import SandboxTransport, Wire, sign_in_with_spotify
from tests.accounts.spotify.fake_spotify import FakeSpotify, me, refuse
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db


def test_429_opens_the_circuit_for_every_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("nobody sleeps"))
    wire = FakeSpotify(refuse(429, **{"Retry-After": "30"}))
    now = timezone.now()

    with (
        Spotify(make_spotify_account(), transport=wire) as first,
        pytest.raises(RateLimited) as one,
    ):
        first.me()
    with (
        Spotify(make_spotify_account(), transport=wire) as other,
        pytest.raises(RateLimited) as two,
    ):
        other.search_tracks("rain")

    assert len(wire.asked) == 1
    assert timedelta(seconds=29) < one.value.until - now < timedelta(seconds=35)
    assert abs(one.value.until - two.value.until) < timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=40))
    wire.api = lambda request: me()
    with Spotify(make_spotify_account(), transport=wire) as later:
        assert later.me().id == "me"


def test_a_spent_quota_opens_the_circuit_for_hours() -> None:
    body = {"error": {"status": 429, "message": "no", "reason": "QUOTA_EXCEEDED"}}
    wire = FakeSpotify(lambda r: httpx.Response(429, json=body, headers={"Retry-After": "43200"}))

    with (
        Spotify(make_spotify_account(), transport=wire) as spotify,
        pytest.raises(RateLimited) as caught,
    ):
        spotify.me()

    assert caught.value.reason == "QUOTA_EXCEEDED"
    assert caught.value.until > timezone.now() + timedelta(hours=11, minutes=59)
    with pytest.raises(RateLimited) as again:
        circuit_breaker.check()
    assert again.value.reason == "QUOTA_EXCEEDED"
    assert str(caught.value) == "Spotify is limiting requests; try again in 12 hours."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "1 minute"),
        (30, "1 minute"),
        (600, "10 minutes"),
        (3600, "60 minutes"),
        (3601, "2 hours"),
        (48 * 3600, "48 hours"),
        (48 * 3600 + 1, "3 days"),
    ],
)
def test_the_message_says_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch, seconds: int, words: str
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    error = RateLimited(now + timedelta(seconds=seconds))

    assert str(error) == f"Spotify is limiting requests; try again in {words}."


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 30), ("soon", 30), ("-5", 30), ("0", 1), ("9" * 30, 7 * 24 * 3600)],
)
def test_an_odd_retry_after_is_read_sensibly(header: str, seconds: int) -> None:
    before = timezone.now()

    error = circuit_breaker.open_after(httpx.Response(429, headers={"Retry-After": header}))

    assert abs((error.until - before).total_seconds() - seconds) < 5


def test_a_shorter_wait_never_ends_a_longer_one() -> None:
    longer = circuit_breaker.open_after(httpx.Response(429, headers={"Retry-After": "46800"}))
    shorter = circuit_breaker.open_after(httpx.Response(429, headers={"Retry-After": "2"}))

    assert shorter.until == longer.until
    with pytest.raises(RateLimited, match="in 13 hours"):
        circuit_breaker.check()


def test_a_retry_after_in_the_form_of_a_date_is_understood() -> None:
    until = datetime.now(UTC) + timedelta(hours=2)
    header = until.strftime("%a, %d %b %Y %H:%M:%S GMT")

    error = circuit_breaker.open_after(httpx.Response(429, headers={"Retry-After": header}))

    assert abs(error.until - until) < timedelta(seconds=5)


def test_the_open_state_expires_with_its_cache_key(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit_breaker.open_after(httpx.Response(429, headers={"Retry-After": "60"}))

    assert 0 < cache._cache.get_client().ttl(cache.make_key(circuit_breaker.KEY)) <= 60  # type: ignore[attr-defined]


@pytest.mark.parametrize("listener", ["bea", "quin"])
def test_the_sandbox_opens_the_circuit_too(
    wire: Wire, browser: object, sandbox_transport: SandboxTransport, listener: str
) -> None:
    sign_in_with_spotify(browser, listener)  # type: ignore[arg-type]
    account = SpotifyAccount.objects.get()

    with (
        Spotify(account, transport=sandbox_transport) as spotify,
        pytest.raises(RateLimited) as caught,
    ):
        spotify.search_tracks("rain")

    assert (caught.value.reason == "QUOTA_EXCEEDED") is (listener == "quin")
