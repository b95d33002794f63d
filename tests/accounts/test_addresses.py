"""Pages that take an e-mail address: responses, e-mails and limits."""

from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from celery import Task
from django.conf import LazySettings
from django.contrib.auth import get_user
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import login_throttle, tasks
from accounts.checks import site_url_is_public
from accounts.mail import claims
from accounts.mail.claims import Claim
from accounts.models import User
from tests.accounts.conftest import mailed_link
from tests.factories import make_spotify_account, make_user

pytestmark = pytest.mark.django_db

PASSWORD = "violet-tram-42"
CHOSEN = {"new_password1": PASSWORD, "new_password2": PASSWORD}
CONFIRM = "/accounts/confirm/"


def ask(client: Client, page: str = "sign-up", email: str = "Ada@Storify.test", **more: str) -> Any:
    return client.post(f"/accounts/{page}/", {"email": email, **more}, follow=True)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- signing up ---


def test_opening_the_mailed_link_and_choosing_a_password_signs_up_and_in(client: Client) -> None:
    ask(client, next="/stories/new/")
    assert not User.objects.exists()

    form = client.get(mailed_link(), follow=True)
    response = client.post(CONFIRM, CHOSEN)

    assert form.redirect_chain == [(CONFIRM, 302)], "the token stays in no address"
    assert response["Location"] == "/accounts/notice/?next=%2Fstories%2Fnew%2F"
    user = User.objects.get()
    assert (user.email, user.faces_consent) == ("ada@storify.test", None)
    assert user.check_password(PASSWORD)
    assert get_user(client) == user


@pytest.mark.parametrize(
    ("password1", "password2", "complaint"),
    [
        ("12345678", "12345678", "too common"),
        (PASSWORD, "something else", "didn’t match"),
        ("ada@storify.test", "ada@storify.test", "too similar"),
        ("", "", "required"),
    ],
)
def test_a_password_that_will_not_do_says_why_and_makes_nobody(
    client: Client, password1: str, password2: str, complaint: str
) -> None:
    ask(client)
    client.get(mailed_link())

    response = client.post(CONFIRM, {"new_password1": password1, "new_password2": password2})

    assert complaint in response.content.decode()
    assert not User.objects.exists()


def test_a_link_works_once_and_not_for_somebody_who_is_signed_in(client: Client) -> None:
    ask(client)
    link = mailed_link()
    client.get(link)
    client.post(CONFIRM, CHOSEN)

    while_signed_in = client.get(link, follow=True)
    later = Client()
    later.get(link)
    again = later.post(CONFIRM, dict.fromkeys(CHOSEN, "amber-ferry-77"))

    assert "This link doesn't work" in text(while_signed_in)
    assert "This link doesn't work" in text(again)
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("broken", ["old", "made up", "none"])
def test_a_link_that_is_old_or_made_up_opens_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    token = Claim("ada@storify.test").sign()
    if broken == "old":
        monkeypatch.setattr(claims, "MAX_AGE_SECONDS", -1)
    token = {"old": token, "made up": token[:-1] + "_", "none": ""}[broken]

    page = client.get(f"{CONFIRM}{token}/" if token else CONFIRM)

    assert "This link doesn't work" in text(page)
    assert "This link doesn't work" in text(client.post(CONFIRM, CHOSEN))
    assert not User.objects.exists()


# --- the same answer whoever has the address ---


@pytest.mark.parametrize("page", ["sign-up", "password", "password/reset"])
def test_neither_the_answer_nor_its_work_tells_whether_an_address_is_taken(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)
    monkeypatch.setattr(Task, "apply_async", lambda *_args, **_options: None)
    seen = []
    for email in ("ada@storify.test", "eve@storify.test"):
        browser = Client(REMOTE_ADDR="192.0.2.7")
        if page == "password":
            browser.force_login(make_user(email=None))
        with CaptureQueriesContext(connection) as queries:
            response = ask(browser, page, email)
        words = text(response).replace(email, "…")
        seen.append((response.redirect_chain, words, [one["sql"].split()[0] for one in queries]))

    assert seen[0] == seen[1]


def test_somebody_who_has_an_account_is_told_so_by_mail_and_nothing_changes(client: Client) -> None:
    user = make_user(email="ada@storify.test", password=PASSWORD)

    ask(client)

    (sent,) = mail.outbox
    assert sent.to == ["ada@storify.test"]
    assert sent.subject == "You already have a Storify account"
    assert "/accounts/sign-in/" in sent.body
    assert "/accounts/password/reset/" in sent.body
    assert "/confirm/" not in sent.body
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_address_that_is_taken_meanwhile_is_not_taken_over(client: Client) -> None:
    ask(client)
    client.get(mailed_link())
    make_user(email="ada@storify.test", password="amber-ferry-77")

    page = client.post(CONFIRM, CHOSEN)

    assert "This link doesn't work" in text(page)
    assert User.objects.get().check_password("amber-ferry-77")
    assert not get_user(client).is_authenticated


# --- adding an address to an account that came through Spotify ---


def test_the_address_of_somebody_else_cannot_be_added(client: Client) -> None:
    make_user(email="ada@storify.test")
    user = make_user(email=None)
    client.force_login(user)

    ask(client, "password")

    assert mail.outbox[0].subject == "You already have a Storify account"
    user.refresh_from_db()
    assert user.email is None


def test_a_link_to_add_an_address_works_for_nobody_else_and_after_signing_in(
    client: Client,
) -> None:
    user = make_spotify_account(make_user(email=None)).user
    client.force_login(user)
    ask(client, "password")
    link = mailed_link()

    other = Client()
    other.force_login(make_user())
    stranger = Client().get(link, follow=True)

    assert "This link doesn't work" in text(other.get(link, follow=True))
    assert stranger.redirect_chain[-1][0] == "/accounts/sign-in/?next=/accounts/confirm/"
    client.get(link)
    done = client.post(CONFIRM, CHOSEN, follow=True)
    assert "You can now sign in with your e-mail address" in text(done)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    client.get(link)
    client.post(CONFIRM, dict.fromkeys(CHOSEN, "amber-ferry-77"))
    user.refresh_from_db()
    assert user.check_password(PASSWORD), "the link must not replace a password"


# --- a forgotten password ---


def test_a_forgotten_password_is_replaced_through_the_mailed_link(client: Client) -> None:
    user = make_user(email="ada@storify.test", password=PASSWORD)
    ask(client, "password/reset")
    link = mailed_link()

    page = client.get(link, follow=True)
    new = {"new_password1": "amber-ferry-77", "new_password2": "amber-ferry-77"}
    client.post(page.redirect_chain[-1][0], new)

    user.refresh_from_db()
    assert user.check_password("amber-ferry-77")
    used = client.get(link, follow=True)
    assert "already been used" in used.content.decode()


@pytest.mark.parametrize(
    "extra",
    [
        {"email": "nobody@storify.test"},
        {"password": None},
        {"password": PASSWORD, "is_active": False},
    ],
)
def test_nobody_gets_a_link_to_a_password_that_they_cannot_have(
    client: Client, extra: dict[str, Any]
) -> None:
    make_user(**{"email": "ada@storify.test", **extra})

    response = ask(client, "password/reset")

    assert response.redirect_chain == [("/accounts/password/reset/sent/", 302)]
    assert not mail.outbox


# --- limits ---


@pytest.mark.parametrize("page", ["sign-up", "password/reset"])
def test_mail_to_one_address_is_limited_from_all_networks_together(page: str) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)
    for number in range(login_throttle.LIMIT_MAILS_TO_ADDRESS):
        ask(Client(REMOTE_ADDR=f"192.0.2.{number}"), page)
    elsewhere = Client(REMOTE_ADDR="198.51.100.1")

    refused = ask(elsewhere, page, "ADA@storify.test")

    assert "too many e-mails" in text(refused)
    assert len(mail.outbox) == login_throttle.LIMIT_MAILS_TO_ADDRESS
    assert "too many e-mails" not in text(ask(elsewhere, page, "eve@storify.test"))


def test_mail_from_one_network_is_limited_for_all_pages_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(login_throttle, "LIMIT_MAILS_FROM_NETWORK", 3)
    for number, page in enumerate(("sign-up", "sign-up", "password/reset")):
        ask(Client(REMOTE_ADDR=f"2001:db8:0:7::{number}"), page, f"ada{number}@storify.test")

    refused = ask(Client(REMOTE_ADDR="2001:db8:0:7:ffff::1"), "sign-up", "eve@storify.test")

    assert "too many e-mails" in text(refused)
    elsewhere = ask(Client(REMOTE_ADDR="2001:db8:0:8::1"), "sign-up", "eve@storify.test")
    assert "too many e-mails" not in text(elsewhere)


# --- the mail itself ---


@pytest.mark.parametrize(("site_url", "found"), [("https://x.test", 0), ("http://127.0.0.1", 1)])
def test_the_deployment_check_wants_an_address_for_links(
    settings: LazySettings, site_url: str, found: int
) -> None:
    settings.SITE_URL = site_url

    assert len(site_url_is_public()) == found


@pytest.mark.parametrize("task", [tasks.mail_confirmation, tasks.mail_password_reset])
def test_mail_is_tried_again_while_the_mail_server_is_away(
    task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email="ada@storify.test", password=PASSWORD)
    tries = []

    def away(*_: Any, **__: Any) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise SMTPServerDisconnected
        return 1

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)

    task.delay("ada@storify.test")

    assert len(tries) == 3


# --- a local site without a mail server ---


@pytest.mark.parametrize(("debug", "shown"), [(True, True), (False, False)])
def test_only_a_local_site_shows_the_mail_on_its_page(
    client: Client, settings: LazySettings, debug: bool, shown: bool
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    settings.DEBUG = debug

    page = ask(client)

    assert ('href="http://127.0.0.1:8000/accounts/confirm/' in text(page)) is shown


def test_a_local_site_with_a_mail_server_shows_no_mail(
    client: Client, settings: LazySettings
) -> None:
    settings.DEBUG = True

    assert "/accounts/confirm/" not in text(ask(client))
