"""Expiry of tokens and connections: just before, at and just after the limit."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.utils import timezone

from accounts import selectors, services
from accounts.models import ApiToken, SpotifyAccount, User
from accounts.spotify.client import Spotify, SpotifyError, SpotifyUnavailable
from accounts.spotify.tokens import EXPIRY_MARGIN, Grant
from accounts.spotify.types import Profile
from tests.accounts.spotify.fake_spotify import FakeSpotify, bearer, expired_account
from tests.factories import make_spotify_account, make_user

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def token_used(account: SpotifyAccount) -> str:
    with Spotify(account, transport=(wire := FakeSpotify())) as spotify:
        spotify.me()
    return bearer(wire.asked[-1])


@pytest.mark.parametrize(
    ("left", "used"),
    [
        (EXPIRY_MARGIN + timedelta(microseconds=1), "access-1"),
        (EXPIRY_MARGIN, "access-2"),
        (EXPIRY_MARGIN - timedelta(seconds=1), "access-2"),
    ],
)
def test_token_is_renewed_from_the_margin_before_its_end(
    left: timedelta, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_spotify_account(expires_at=NOON + left)
    monkeypatch.setattr("accounts.spotify.tokens.timezone.now", lambda: NOON)
    assert token_used(account) == used


def test_account_without_an_access_token_gets_one() -> None:
    assert token_used(make_spotify_account(access_token="")) == "access-2"


@pytest.mark.parametrize(
    ("status", "error"), [(499, SpotifyError), (500, SpotifyUnavailable), (503, SpotifyUnavailable)]
)
def test_servers_fault_passes_and_a_refusal_does_not(
    status: int, error: type[SpotifyError]
) -> None:
    wire = FakeSpotify(token=lambda r: httpx.Response(status, json={"error": "some"}))
    with Spotify(expired_account(), transport=wire) as spotify, pytest.raises(error) as raised:
        spotify.me()
    assert raised.type is error


GRANT = Grant(access_token="a", refresh_token="r", expires_in=1800, scopes="one two")


def connect(user: User, account_id: str = "a1", grant: Grant = GRANT) -> SpotifyAccount:
    profile = Profile(account_id=account_id, id="i1", display_name="Ada L.")
    return services.connect_spotify(user=user, profile=profile, grant=grant)


def test_connected_account_holds_what_was_granted() -> None:
    account = connect(make_user())
    assert (account.access_token, account.refresh_token, account.scopes) == ("a", "r", "one two")
    left = account.expires_at - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)


def test_grant_without_refresh_token_or_scopes_leaves_them_empty() -> None:
    account = connect(make_user(), grant=Grant("a", None, 1800, None))
    assert (account.refresh_token, account.scopes) == ("", "")


def test_same_account_of_the_same_person_is_connected_anew() -> None:
    user = make_user()
    SpotifyAccount.objects.filter(pk=connect(user).pk).update(needs_sign_in=True)
    assert not connect(user).needs_sign_in
    assert SpotifyAccount.objects.count() == 1


def test_either_side_that_is_connected_elsewhere_is_refused() -> None:
    user = make_user()
    connect(user)
    with pytest.raises(services.SpotifyInUse):
        connect(make_user(), "a1")
    with pytest.raises(services.SpotifyInUse):
        connect(user, "a2")
    assert connect(make_user(), "a3").account_id == "a3"


@pytest.mark.parametrize(("name", "left"), [("Ada L.", ""), ("Countess", "Countess")])
def test_disconnecting_takes_only_the_name_that_came_with_spotify(name: str, left: str) -> None:
    user = make_user(email="ada@storify.test", password="violet-tram-42", display_name=name)
    connect(user)
    services.disconnect_spotify(user=user)
    user.refresh_from_db()
    assert user.display_name == left
    assert selectors.spotify_account(user) is None


def test_disconnecting_without_a_connection_changes_nothing() -> None:
    user = make_user(email="ada@storify.test", password="violet-tram-42", display_name="Ada")
    assert services.disconnect_spotify(user=user).display_name == "Ada"


@pytest.mark.parametrize(
    ("email", "password", "can"),
    [
        ("a@storify.test", "violet-tram-42", True),
        ("a@storify.test", None, False),
        (None, None, False),
    ],
)
def test_way_back_without_spotify_needs_address_and_password(
    email: str | None, password: str | None, can: bool
) -> None:
    user = User(email=email)
    user.set_password(password)
    assert selectors.has_password_sign_in(user) is can
    user.email = None
    assert selectors.has_password_sign_in(user) is False


def test_token_ends_once() -> None:
    token, _ = services.issue_api_token(user=make_user(), label="Phone")
    ended = services.revoke_api_token(token=token).revoked_at
    assert ended is not None
    assert services.revoke_api_token(token=token).revoked_at == ended


@pytest.mark.parametrize(("seconds", "noted"), [(55, False), (65, True)])
def test_last_use_is_noted_again_after_a_minute(seconds: int, noted: bool) -> None:
    token, _ = services.issue_api_token(user=make_user(), label="Phone")
    before = timezone.now() - timedelta(seconds=seconds)
    ApiToken.objects.update(last_used_at=before)
    token.refresh_from_db()
    services.touch_api_token(token=token)
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert (token.last_used_at > before) is noted
