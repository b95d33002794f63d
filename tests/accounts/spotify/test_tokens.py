import json
import logging
import threading
import time
from datetime import timedelta

import httpx
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.spotify import tokens
from accounts.spotify.client import (
    NeedsSignIn,
    RateLimited,
    Spotify,
    SpotifyError,
    SpotifyUnavailable,
)
from tests.accounts.spotify.fake_spotify import (
    FakeSpotify,
    Handler,
    bearer,
    expired_account,
    grant,
    me,
    refuse,
)
from tests.factories import make_spotify_account

pytestmark = pytest.mark.django_db


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
    """Wait until the second caller is blocked by the lock, not just late."""
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


def test_tokens_and_search_words_never_reach_a_log(caplog: pytest.LogCaptureFixture) -> None:
    # Down to what the site's own logging would let through, and further.
    caplog.set_level(logging.DEBUG, logger="accounts")
    account = expired_account(refresh_token="refresh-secret")
    wire = FakeSpotify(
        lambda r: httpx.Response(503),
        token=lambda r: grant("access-secret", refresh_token="refresh-secret-2"),
    )

    with Spotify(account, transport=wire) as spotify, pytest.raises(SpotifyUnavailable):
        spotify.search_tracks("my private words")

    assert "GET /search" in caplog.text
    for secret in ("refresh-secret", "access-secret", "refresh-secret-2", "private"):
        assert secret not in caplog.text


def test_a_grant_hides_its_tokens_when_printed() -> None:
    one = tokens.Grant.from_json(
        json.loads('{"access_token": "access-secret", "refresh_token": "refresh-secret"}')
    )

    assert "secret" not in repr(one)
