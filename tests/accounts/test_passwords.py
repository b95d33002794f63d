"""Limits wherever a password is checked, and what a new password ends."""

import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.conf import settings as site_settings
from django.contrib.auth import aauthenticate, authenticate, get_user
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client, RequestFactory
from social_django.models import UserSocialAuth

from accounts import login_throttle as attempts
from accounts import services
from accounts.login_throttle import Counter, TooManyAttempts
from accounts.models import User
from tests.accounts.conftest import Wire, mailed_link, sign_in_with_spotify
from tests.factories import make_user

pytestmark = pytest.mark.django_db

EMAIL, PASSWORD, NEW = "ada@storify.test", "violet-tram-42", "amber-ferry-77"
NEW_TWICE = {"new_password1": NEW, "new_password2": NEW}
DOORS: dict[str, tuple[str, Callable[[str], dict[str, str]]]] = {
    "sign-in": ("/accounts/sign-in/", lambda tried: {"username": EMAIL, "password": tried}),
    "token": ("/api/v1/auth/token", lambda tried: {"email": EMAIL, "password": tried}),
    "admin": ("/admin/login/", lambda tried: {"username": EMAIL, "password": tried}),
    "delete": ("/accounts/delete/", lambda tried: {"confirmation": tried}),
    "change": ("/accounts/password/change/", lambda tried: {"old_password": tried, **NEW_TWICE}),
    "admin change": ("/admin/password_change/", lambda tried: {"old_password": tried, **NEW_TWICE}),
}
every_door = pytest.mark.parametrize("door", DOORS)


@pytest.fixture
def ada() -> User:
    return make_user(email=EMAIL, password=PASSWORD, is_staff=True, is_superuser=True)


def knock(door: str, user: User, tried: str) -> Any:
    """Guess a password: anonymously where visitors can, else with ada's session."""
    client = Client()
    if door in {"delete", "change", "admin change"}:
        client.force_login(user)
    address, form = DOORS[door]
    return client.post(address, form(tried))


def is_refused(response: Any) -> bool:
    return response.status_code == 429 or "Too many wrong passwords" in response.content.decode()


# --- one guard for all doors ---


@every_door
def test_the_right_password_is_not_looked_at_after_too_many_wrong_ones(
    door: str, ada: User
) -> None:
    wrong = [knock(door, ada, "wrong") for _ in range(attempts.LIMIT_BOTH)]

    right = knock(door, ada, PASSWORD)

    assert not any(map(is_refused, wrong))
    assert is_refused(right)
    ada.refresh_from_db()
    assert ada.matches_password(PASSWORD)


@every_door
def test_right_passwords_do_not_use_up_the_limit(door: str, ada: User) -> None:
    for _ in range(attempts.LIMIT_BOTH + 1):
        assert authenticate(RequestFactory().get("/"), username=EMAIL, password=PASSWORD)
        assert ada.check_password(PASSWORD)

    assert not is_refused(knock(door, ada, PASSWORD))


@every_door
@pytest.mark.django_db(transaction=True)
def test_guesses_sent_at_once_get_no_further_than_guesses_in_a_row(
    door: str, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    together = threading.Barrier(attempts.LIMIT_BOTH)

    def slowly(tried: str, *_: Any, **__: Any) -> bool:
        """Slow enough for the limit's number of guesses to run at the same time."""
        looked_at.append(tried)
        together.wait(timeout=20)
        return False

    monkeypatch.setattr("django.contrib.auth.base_user.check_password", slowly)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: _knock_and_leave(door, ada), range(40)))

    assert len(looked_at) == attempts.LIMIT_BOTH
    assert sum(map(is_refused, answers)) == 40 - attempts.LIMIT_BOTH


def _knock_and_leave(door: str, user: User) -> Any:
    try:
        return knock(door, user, "wrong")
    finally:
        connections.close_all()


def test_asynchronous_code_comes_to_the_same_guard(ada: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(attempts, "LIMIT_BOTH", 0)

    with pytest.raises(TooManyAttempts):
        async_to_sync(aauthenticate)(username=EMAIL, password=PASSWORD)
    with pytest.raises(TooManyAttempts):
        async_to_sync(ada.acheck_password)(PASSWORD)


def test_nothing_compares_passwords_beside_the_guard() -> None:
    root = Path(site_settings.BASE_DIR)
    packages = ("accounts", "recommender", "stories", "storify_site")
    found = {
        str(file.relative_to(root))
        for package in packages
        for file in (root / package).rglob("*.py")
        if re.search(r"matches_password|ModelBackend|auth.hashers", file.read_text())
    }

    assert found == {"accounts/models.py", "accounts/backends.py"}


def test_a_full_counter_does_not_fill_up_the_others(ada: User) -> None:
    """Otherwise one network could lock everybody else out of an account."""
    for _ in range(attempts.LIMIT_ADDRESS + 1):
        knock("sign-in", ada, "wrong")

    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    elsewhere.post("/accounts/sign-in/", {"username": EMAIL, "password": PASSWORD})

    assert get_user(elsewhere) == ada


def test_a_counter_without_an_end_gets_one() -> None:
    """As left by an `incr` at the moment the window ended."""
    counter = Counter("counter", limit=2)
    cache.set(counter.key, 0, timeout=None)

    assert counter.take()

    redis = cache._cache.get_client()  # type: ignore[attr-defined]
    assert 0 < redis.ttl(cache.make_key(counter.key)) <= attempts.WINDOW_SECONDS


@every_door
def test_no_password_is_looked_at_while_the_cache_is_away(
    door: str, ada: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = "django.contrib.auth.base_user.check_password"
    monkeypatch.setattr(compare, lambda *_: pytest.fail("looked at"))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.CACHES = {
            "default": {
                **settings.CACHES["default"],
                "LOCATION": f"redis://127.0.0.1:{nobody.getsockname()[1]}/0",
            }
        }
        response = knock(door, ada, PASSWORD)

    assert response.status_code == 503


# --- what a new password ends ---


def changed_by_themselves(user: User, client: Client) -> str:
    data = {"old_password": PASSWORD, **NEW_TWICE}
    return str(client.post("/accounts/password/change/", data, follow=True).content)


def changed_in_the_admins_own_form(user: User, client: Client) -> str:
    client.post("/admin/password_change/", {"old_password": PASSWORD, **NEW_TWICE})
    return services.OTHERS_ENDED


def reset_by_mail(user: User, _client: Client) -> str:
    client = Client()
    client.post("/accounts/password/reset/", {"email": EMAIL})
    form = client.get(mailed_link(), follow=True)
    return str(client.post(form.redirect_chain[-1][0], NEW_TWICE, follow=True).content)


def test_a_password_that_was_reset_opens_the_door_at_once(ada: User) -> None:
    for _ in range(attempts.LIMIT_BOTH + 1):
        refused = knock("sign-in", ada, "wrong")
    assert is_refused(refused)

    reset_by_mail(ada, Client())

    assert not is_refused(knock("sign-in", ada, NEW))


def set_by_staff(user: User, _client: Client) -> str:
    return _in_the_admin(user, usable_password="true", password1=NEW, password2=NEW)


def taken_away_by_staff(user: User, _client: Client) -> str:
    return _in_the_admin(user, **{"usable_password": "false", "unset-password": "1"})


def _in_the_admin(user: User, **data: str) -> str:
    staff = Client()
    staff.force_login(make_user(is_staff=True, is_superuser=True))
    page = staff.post(f"/admin/accounts/user/{user.pk}/password/", data, follow=True)
    assert "signed out everywhere" in page.content.decode()
    assert get_user(staff).is_authenticated
    return services.OTHERS_ENDED


def set_on_the_command_line(user: User, _client: Client) -> str:
    call_command("changepassword", user.email)
    return services.OTHERS_ENDED


@pytest.mark.parametrize(
    ("way", "own_session_stays"),
    [
        (changed_by_themselves, True),
        (changed_in_the_admins_own_form, True),
        (reset_by_mail, False),
        (set_by_staff, False),
        (taken_away_by_staff, False),
        (set_on_the_command_line, False),
    ],
)
def test_a_new_password_ends_tokens_and_other_sessions(
    way: Callable[[User, Client], str],
    own_session_stays: bool,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **_: NEW)
    _, plain = services.issue_api_token(user=ada, label="My phone")
    mine, other = Client(), Client()
    for client in (mine, other):
        client.force_login(ada)

    text = way(ada, mine)

    assert services.OTHERS_ENDED in text
    ada.refresh_from_db()
    assert not ada.matches_password(PASSWORD)
    assert ada.api_tokens.get().revoked_at is not None
    stories = other.get("/api/v1/stories/", headers={"authorization": f"Token {plain}"})
    assert stories.status_code == 401
    assert not get_user(other).is_authenticated
    assert get_user(mine).is_authenticated is own_session_stays


def test_a_session_from_spotify_ends_with_a_new_password(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser, "mira")
    user = UserSocialAuth.objects.get().user
    assert get_user(browser) == user

    services.set_password_sign_in(user=user, email=EMAIL, password=NEW)

    assert not get_user(browser).is_authenticated


def test_a_token_is_not_made_for_a_password_that_was_replaced_meanwhile(ada: User) -> None:
    """Otherwise a thief who asks for one at the right moment would keep the account."""
    read_before = User.objects.get(pk=ada.pk)
    ada.set_password(NEW)
    ada.save()

    with pytest.raises(services.PasswordReplaced):
        services.issue_api_token(user=read_before, label="Thief")

    assert not ada.api_tokens.exists()


def test_tokens_outlive_other_changes_and_a_renewed_hash(ada: User, settings: LazySettings) -> None:
    token, _ = services.issue_api_token(user=ada, label="My phone")
    ada.display_name = "Ada"
    ada.save()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = ada.password

    assert ada.check_password(PASSWORD)

    assert ada.password != before
    token.refresh_from_db()
    assert token.revoked_at is None
