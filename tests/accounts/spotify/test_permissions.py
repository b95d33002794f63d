"""What people allow at Spotify, one thing at a time, and take back."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts import personal_data
from accounts.models import SpotifyAccount, User
from accounts.spotify import scopes
from accounts.spotify.scopes import SCOPES, Purpose
from tests.accounts.conftest import Wire, allow, local, new_browser, sign_in_with_spotify
from tests.factories import make_spotify_account, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, User, Purpose]]:
    """What another app is told about permissions; it is the only one there is."""
    monkeypatch.setattr(personal_data, "_parts", {})
    told: list[tuple[str, User, Purpose]] = []
    personal_data.register(
        "fake",
        export=lambda user: [],
        erase=lambda user: None,
        spotify_allowed=lambda user, purpose: told.append(("allowed", user, purpose)),
        spotify_withdrawn=lambda user, purpose: told.append(("withdrawn", user, purpose)),
        spotify_renewed=lambda user, purpose: told.append(("renewed", user, purpose)),
    )
    return told


def asked_scopes(response: Any) -> set[str]:
    return set(parse_qs(urlsplit(response["Location"]).query).get("scope", [""])[0].split())


def permissions(account: SpotifyAccount) -> list[bool]:
    account.refresh_from_db()
    return [scopes.has(account, purpose) for purpose in Purpose]


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_asks_for_its_own_scopes_and_leads_back(
    wire: Wire, browser: Client, told: list[Any], purpose: Purpose
) -> None:
    sign_in_with_spotify(browser)

    begin = browser.post(
        f"/accounts/spotify/allow/{purpose}/", {"spotify_purpose": purpose, "next": "/stories/"}
    )
    assert asked_scopes(begin) == SCOPES[purpose]
    answer = browser.post(local(begin["Location"]), {"listener": "mira"})
    back = browser.get(local(answer["Location"]))

    assert back["Location"] == "/stories/"
    account = SpotifyAccount.objects.get()
    assert account.purposes == [purpose]
    assert permissions(account) == [one is purpose for one in Purpose]
    assert told == [("allowed", account.user, purpose)]
    assert "Thank you!" in browser.get("/accounts/").content.decode()


def test_our_own_words_come_before_spotifys_page(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser)

    library = browser.get("/accounts/spotify/allow/library/").content.decode()
    save = browser.get("/accounts/spotify/allow/save/").content.decode()

    assert "It's yours alone" in library
    assert "ReccoBeats" in library
    assert "five of these ids and a mood" in library
    assert "and only then" in save
    assert "ReccoBeats" not in save
    assert browser.get("/accounts/spotify/allow/everything/").status_code == 404


def test_a_second_permission_keeps_the_first(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser)
    allow(browser, "library")

    allow(browser, "save")

    assert permissions(SpotifyAccount.objects.get()) == [True, True]


def test_saying_no_at_spotify_changes_nothing(wire: Wire, browser: Client, told: list[Any]) -> None:
    sign_in_with_spotify(browser)

    response = allow(browser, "library", listener="")

    assert response.status_code == 403
    assert SpotifyAccount.objects.get().purposes == []
    assert told == []
    # Signing in later doesn't take up what was refused.
    sign_in_with_spotify(browser)
    assert SpotifyAccount.objects.get().purposes == []


def test_signing_in_again_keeps_what_was_allowed(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser)
    allow(browser, "save")
    before = SpotifyAccount.objects.get()

    sign_in_with_spotify(new_browser())

    after = SpotifyAccount.objects.get()
    assert permissions(after) == [False, True]
    assert after.refresh_token == before.refresh_token


def test_an_ended_permission_is_asked_for_again_as_a_whole(wire: Wire, browser: Client) -> None:
    """The new grant of a mere sign-in replaces a dead one; the purpose then needs its page."""
    sign_in_with_spotify(browser)
    allow(browser, "save")
    SpotifyAccount.objects.update(needs_sign_in=True)

    sign_in_with_spotify(new_browser())

    account = SpotifyAccount.objects.get()
    assert not account.needs_sign_in
    assert permissions(account) == [False, False]
    assert "no longer lets Storify do that" in browser.get("/accounts/").content.decode()


def test_connecting_again_while_signed_in_renews_what_was_allowed(
    wire: Wire, browser: Client
) -> None:
    sign_in_with_spotify(browser)
    allow(browser, "save")

    begin = browser.post("/accounts/spotify/connect/")

    assert asked_scopes(begin) == SCOPES[Purpose.SAVE]


def test_connecting_an_expired_account_again_resumes_what_was_allowed(
    wire: Wire, browser: Client, told: list[Any]
) -> None:
    sign_in_with_spotify(browser)
    allow(browser, "library")
    account = SpotifyAccount.objects.get()
    told.clear()

    connect_again(browser)
    assert told == []
    SpotifyAccount.objects.update(needs_sign_in=True)
    connect_again(browser)

    assert told == [("renewed", account.user, Purpose.LIBRARY)]


def connect_again(browser: Client) -> None:
    begin = browser.post("/accounts/spotify/connect/")
    answer = browser.post(local(begin["Location"]), {"listener": "mira"})
    browser.get(local(answer["Location"]))


def test_each_permission_is_taken_back_by_itself(
    wire: Wire, browser: Client, told: list[Any]
) -> None:
    sign_in_with_spotify(browser)
    allow(browser, "library")
    allow(browser, "save")
    told.clear()

    response = browser.post("/accounts/spotify/withdraw/library/", {"next": "/stories/"})

    account = SpotifyAccount.objects.get()
    assert response["Location"] == "/stories/"
    assert permissions(account) == [False, True]
    assert told == [("withdrawn", account.user, Purpose.LIBRARY)]
    assert "no longer reads" in browser.get("/accounts/").content.decode()


def test_what_was_taken_back_isnt_asked_for_again(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser)
    allow(browser, "library")
    browser.post("/accounts/spotify/withdraw/library/")

    begin = browser.post("/accounts/spotify/allow/save/", {"spotify_purpose": "save"})

    assert asked_scopes(begin) == SCOPES[Purpose.SAVE]


def test_an_older_grant_without_the_scopes_is_led_to_the_page(client: Client) -> None:
    user = make_user()
    make_spotify_account(user, scopes="user-library-modify playlist-modify-private", purposes=[])
    client.force_login(user)

    page = client.get("/accounts/").content.decode()

    assert "/accounts/spotify/allow/library/" in page
    assert "/accounts/spotify/allow/save/" in page


def test_less_than_what_was_asked_for_allows_nothing(
    wire: Wire, browser: Client, told: list[Any]
) -> None:
    sign_in_with_spotify(browser)
    body = '{"access_token": "a", "refresh_token": "r", "scope": "user-library-read"}'
    wire.answers["/sandbox/accounts/api/token"] = (200, {}, body)
    wire.answers["/sandbox/api/v1/me"] = (
        200, {}, '{"id": "31sandboxmira", "account_id": "aMiraSolberg"}',
    )  # fmt: skip

    allow(browser, "save")

    assert permissions(SpotifyAccount.objects.get()) == [False, False]
    assert told == []
    assert "didn't grant everything" in browser.get("/accounts/").content.decode().replace(
        "&#x27;", "'"
    )


def test_allowing_and_withdrawing_need_somebody_signed_in(client: Client) -> None:
    for page in ("allow", "withdraw"):
        response = client.post(f"/accounts/spotify/{page}/library/")
        assert response["Location"].startswith("/accounts/sign-in/")
    assert client.get("/accounts/spotify/withdraw/library/").status_code == 405


def test_a_next_page_elsewhere_is_never_linked(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser)

    page = browser.get("/accounts/spotify/allow/save/?next=https://evil.example/").content.decode()

    assert "evil.example" not in page
