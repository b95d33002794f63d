import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts import spotify_circuit, spotify_tokens
from accounts.models import SpotifyAccount
from accounts.spotify import (
    NeedsSignIn,
    NotAllowed,
    NotFound,
    RateLimited,
    Spotify,
    SpotifyError,
    SpotifyUnavailable,
)
from tests.accounts.conftest import SandboxTransport, Wire, sign_in_with_spotify
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db

Handler = Callable[[httpx.Request], httpx.Response]


class FakeSpotify(httpx.MockTransport):
    """Counts what it is asked; token requests and API requests have handlers of their own."""

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


# --- what each call sends and returns, against the sandbox ---


@pytest.fixture
def connected(wire: Wire, browser: object) -> SpotifyAccount:
    sign_in_with_spotify(browser, "mira")  # type: ignore[arg-type]
    return SpotifyAccount.objects.get()


def test_me_prefers_account_id(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify:
        profile = spotify.me()

    assert profile.account_id == "aMiraSolberg"
    assert profile.id == "31sandboxmira"
    assert profile.display_name == "Mira Solberg"


def test_a_track_is_found_opened_saved_and_put_on_a_playlist(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify:
        found = spotify.search_tracks("lanterns", limit=3)
        track = spotify.get_track(found[0].id)
        spotify.save_to_library([track.id])
        playlist = spotify.create_playlist("From Storify", "A day out")
        before = spotify.add_to_playlist(playlist.id, [track.id])
        after = spotify.add_to_playlist(playlist.id, [track.id])

    assert [one.title for one in found] == ["Paper Lanterns"]
    assert track == found[0]
    assert track.artists == ("The Slow Tram",)
    assert track.album == "Night Depot"
    assert track.release_date == "2021-03-12"
    assert track.duration_ms == 214_000
    assert track.spotify_url == f"https://open.spotify.com/track/{track.id}"
    assert playlist.name == "From Storify"
    assert before != after
    from accounts.sandbox import memory

    assert memory.library("mira") == [track.uri]
    kept = memory.find_playlist(playlist.id)
    assert kept is not None
    assert kept.uris == [track.uri, track.uri]
    assert kept.public is False


def test_audio_features_are_closed_to_apps_without_extended_access(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify, pytest.raises(NotAllowed):
        spotify.audio_features(["x"])


def test_audio_features_of_an_extended_app_leave_misses_out() -> None:
    features = {
        "id": "x", "danceability": 0.5, "energy": 0.6, "valence": 0.7, "key": 1, "loudness": -7.5,
        "mode": 1, "speechiness": 0.04, "acousticness": 0.2, "instrumentalness": 0, "liveness": 0.1,
        "tempo": 120.1, "time_signature": 4,
    }  # fmt: skip
    wire = FakeSpotify(lambda r: httpx.Response(200, json={"audio_features": [features, None]}))

    with Spotify(make_spotify_account(), transport=wire) as spotify:
        (one,) = spotify.audio_features(["x", "y"])

    assert (one.id, one.valence, one.energy, one.tempo) == ("x", 0.7, 0.6, 120.1)
    assert wire.asked[0].url.params["ids"] == "x,y"


def test_an_unknown_track_is_not_found(
    connected: SpotifyAccount, sandbox_transport: SandboxTransport
) -> None:
    with Spotify(connected, transport=sandbox_transport) as spotify, pytest.raises(NotFound):
        spotify.get_track("nothing/../like%this")


@pytest.mark.parametrize("limit", [0, 11])
def test_a_search_beyond_spotifys_limit_is_never_sent(limit: int) -> None:
    wire = FakeSpotify()

    with (
        Spotify(make_spotify_account(), transport=wire) as spotify,
        pytest.raises(ValueError, match="limit"),
    ):
        spotify.search_tracks("rain", limit=limit)

    assert not wire.asked


@pytest.mark.parametrize("body", ["not json", "[]", '{"tracks": null}', '{"tracks": {}}'])
def test_an_answer_that_makes_no_sense_is_an_error_of_the_family(body: str) -> None:
    wire = FakeSpotify(lambda request: httpx.Response(200, text=body))

    with (
        Spotify(make_spotify_account(), transport=wire) as spotify,
        pytest.raises(SpotifyUnavailable),
    ):
        spotify.search_tracks("rain")


@pytest.mark.parametrize(
    ("api", "error"),
    [
        (refuse(400), SpotifyError),
        (refuse(403), NotAllowed),
        (refuse(404), NotFound),
        (refuse(500), SpotifyUnavailable),
        (refuse(503), SpotifyUnavailable),
    ],
)
def test_each_status_has_its_error(api: Handler, error: type[SpotifyError]) -> None:
    with (
        Spotify(make_spotify_account(), transport=FakeSpotify(api)) as spotify,
        pytest.raises(SpotifyError) as caught,
    ):
        spotify.me()

    assert type(caught.value) is error


def test_a_silent_spotify_is_unavailable() -> None:
    def silence(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"]["read"] == 8.0
        raise httpx.ReadTimeout("", request=request)

    with (
        Spotify(make_spotify_account(), transport=FakeSpotify(silence)) as spotify,
        pytest.raises(SpotifyUnavailable),
    ):
        spotify.me()


# --- renewing tokens ---


def test_a_fresh_token_is_used_as_it_is() -> None:
    wire = FakeSpotify()

    with Spotify(make_spotify_account(), transport=wire) as spotify:
        spotify.me()

    assert [bearer(request) for request in wire.asked] == ["access-1"]


def test_an_expired_token_is_renewed_and_the_old_refresh_token_kept() -> None:
    account = expired_account()
    wire = FakeSpotify()

    with Spotify(account, transport=wire) as spotify:
        spotify.me()
        spotify.me()

    account.refresh_from_db()
    assert wire.count("/api/token") == 1
    assert account.access_token == "access-2"
    assert account.refresh_token == "refresh-1"
    assert account.expires_at > timezone.now() + timedelta(minutes=50)


def test_a_new_refresh_token_replaces_the_old_one() -> None:
    account = expired_account()
    wire = FakeSpotify(token=lambda r: grant("access-2", refresh_token="refresh-2"))

    with Spotify(account, transport=wire) as spotify:
        spotify.me()

    account.refresh_from_db()
    assert account.refresh_token == "refresh-2"


def test_a_token_that_spotify_rejects_is_renewed_and_the_call_repeated_once() -> None:
    account = make_spotify_account()
    wire = FakeSpotify(lambda r: me() if bearer(r) == "access-2" else refuse(401)(r))

    with Spotify(account, transport=wire) as spotify:
        assert spotify.me().display_name == "Me"

    assert wire.count("/me") == 2


def test_a_renewed_token_that_is_rejected_too_asks_to_sign_in() -> None:
    account = make_spotify_account()

    with (
        Spotify(account, transport=FakeSpotify(refuse(401))) as spotify,
        pytest.raises(NeedsSignIn),
    ):
        spotify.me()

    account.refresh_from_db()
    assert account.needs_sign_in


def test_invalid_grant_asks_to_sign_in_and_loses_nothing_else() -> None:
    account = expired_account()
    wire = FakeSpotify(token=lambda r: httpx.Response(400, json={"error": "invalid_grant"}))

    for _ in range(2):
        with Spotify(account, transport=wire) as spotify, pytest.raises(NeedsSignIn):
            spotify.me()

    account.refresh_from_db()
    assert account.needs_sign_in
    assert account.user.is_active
    assert account.scopes
    assert len(wire.asked) == 1, "once it is known, Spotify is not asked again"


def test_tokens_under_a_lost_key_ask_to_sign_in(settings: object) -> None:
    from cryptography.fernet import Fernet

    account = expired_account()
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]  # type: ignore[attr-defined]

    with (
        Spotify(account, transport=FakeSpotify()) as spotify,
        pytest.raises(NeedsSignIn),
    ):
        spotify.me()


def test_an_older_key_still_reads_and_the_newest_writes(settings: object) -> None:
    from cryptography.fernet import Fernet

    account = make_spotify_account()
    new = Fernet.generate_key().decode()
    old = settings.TOKEN_ENCRYPTION_KEYS  # type: ignore[attr-defined]
    settings.TOKEN_ENCRYPTION_KEYS = [new, *old]  # type: ignore[attr-defined]

    account.refresh_from_db()
    assert account.access_token == "access-1"
    account.save()

    settings.TOKEN_ENCRYPTION_KEYS = [new]  # type: ignore[attr-defined]
    account.refresh_from_db()
    assert account.access_token == "access-1"


def test_tokens_are_encrypted_in_the_row() -> None:
    account = make_spotify_account()

    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM accounts_spotifyaccount")
        (stored,) = cursor.fetchall()

    assert all(value.startswith("gAAAA") for value in stored)
    assert account.access_token not in stored


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (lambda r: httpx.Response(500), SpotifyUnavailable),
        (lambda r: httpx.Response(200, json={}), SpotifyUnavailable),
        (lambda r: httpx.Response(400, json={"error": "invalid_client"}), SpotifyError),
        (refuse(429, **{"Retry-After": "5"}), RateLimited),
    ],
)
def test_a_failed_renewal_keeps_the_account_as_it_was(
    token: Handler, error: type[SpotifyError]
) -> None:
    account = expired_account()

    with (
        Spotify(account, transport=FakeSpotify(token=token)) as spotify,
        pytest.raises(SpotifyError) as caught,
    ):
        spotify.me()

    assert type(caught.value) is error
    account.refresh_from_db()
    assert not account.needs_sign_in
    assert account.refresh_token == "refresh-1"


@pytest.mark.django_db(transaction=True)
def test_two_threads_renew_once_and_both_use_the_new_token() -> None:
    account = expired_account()
    in_flight, release = threading.Event(), threading.Event()

    def slow_token(request: httpx.Request) -> httpx.Response:
        in_flight.set()
        assert release.wait(10)
        return grant("access-2", refresh_token="refresh-2")

    wire = FakeSpotify(token=slow_token)
    failures: list[BaseException] = []

    def call() -> None:
        try:
            with Spotify(account, transport=wire) as spotify:
                spotify.me()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(2)]
    threads[0].start()
    assert in_flight.wait(10)
    threads[1].start()
    wait_until_somebody_waits_for_a_row()
    release.set()
    for thread in threads:
        thread.join(10)

    assert not failures
    assert wire.count("/api/token") == 1
    assert [bearer(r) for r in wire.asked if r.url.path.endswith("/me")] == ["access-2"] * 2


def wait_until_somebody_waits_for_a_row() -> None:
    """The second caller is stuck on the lock, rather than merely late."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
    pytest.fail("the second caller never waited for the first")


@pytest.mark.django_db(transaction=True)
def test_a_call_inside_a_transaction_is_refused_before_anything_can_be_lost() -> None:
    wire = FakeSpotify()
    account = expired_account()

    with (
        Spotify(account, transport=wire) as spotify,
        transaction.atomic(),
        pytest.raises(RuntimeError, match="durable"),
    ):
        spotify.me()

    assert not wire.asked


# --- limits ---


def test_429_closes_the_way_for_everybody_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_spent_quota_closes_the_way_for_hours() -> None:
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
        spotify_circuit.check()
    assert again.value.reason == "QUOTA_EXCEEDED"
    assert caught.value.until.strftime("%H:%M") in str(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 30), ("soon", 30), ("-5", 30), ("0", 1), ("9" * 30, 7 * 24 * 3600)],
)
def test_an_odd_retry_after_is_read_sensibly(header: str, seconds: int) -> None:
    before = timezone.now()

    error = spotify_circuit.trip(httpx.Response(429, headers={"Retry-After": header}))

    assert abs((error.until - before).total_seconds() - seconds) < 5


def test_a_retry_after_in_the_form_of_a_date_is_understood() -> None:
    until = datetime.now(UTC) + timedelta(hours=2)
    header = until.strftime("%a, %d %b %Y %H:%M:%S GMT")

    error = spotify_circuit.trip(httpx.Response(429, headers={"Retry-After": header}))

    assert abs(error.until - until) < timedelta(seconds=5)


def test_the_circuit_forgets_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    spotify_circuit.trip(httpx.Response(429, headers={"Retry-After": "60"}))

    assert 0 < cache._cache.get_client().ttl(cache.make_key(spotify_circuit.KEY)) <= 60  # type: ignore[attr-defined]


@pytest.mark.parametrize("listener", ["bea", "quin"])
def test_the_sandbox_closes_the_circuit_too(
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


# --- secrets ---


def test_tokens_and_search_words_never_reach_a_log(caplog: pytest.LogCaptureFixture) -> None:
    # Down to what the site's own logging would let through, and further.
    caplog.set_level(logging.DEBUG, logger="accounts")
    account = expired_account(refresh_token="refresh-secret")
    wire = FakeSpotify(
        lambda r: httpx.Response(200, json={"tracks": {"items": []}}),
        token=lambda r: grant("access-secret", refresh_token="refresh-secret-2"),
    )

    with Spotify(account, transport=wire) as spotify:
        spotify.search_tracks("my private words")

    assert "GET /search" in caplog.text
    for secret in ("refresh-secret", "access-secret", "refresh-secret-2", "private"):
        assert secret not in caplog.text


def test_a_grant_hides_its_tokens_when_printed() -> None:
    one = spotify_tokens.Grant.from_json(
        json.loads('{"access_token": "access-secret", "refresh_token": "refresh-secret"}')
    )

    assert "secret" not in repr(one)
