"""Refused and failed sign-ins with Spotify: each ends on a page that explains it."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import Wire, new_browser, sign_in_with_spotify, walk_to_callback
from tests.accounts.spotify.test_sign_in import signed_in

pytestmark = pytest.mark.django_db

TOKEN_PATH = "/sandbox/accounts/api/token"
ME_PATH = "/sandbox/api/v1/me"


def test_saying_no_gives_a_friendly_page_and_makes_nobody(wire: Wire, browser: Client) -> None:
    response = sign_in_with_spotify(browser, "")

    assert response.status_code == 403
    assert "Spotify wasn&#x27;t connected" in response.content.decode()
    assert not User.objects.exists()
    assert not wire.sent


def test_a_403_on_me_says_that_the_person_is_not_on_the_allow_list(
    wire: Wire, browser: Client
) -> None:
    response = sign_in_with_spotify(browser, "nora")

    assert response.status_code == 403
    assert "development mode" in response.content.decode()
    assert not User.objects.exists()


def test_a_403_without_json_says_the_same(wire: Wire, browser: Client) -> None:
    body = "User not registered in the Developer Dashboard"
    wire.answers[ME_PATH] = (403, {"Content-Type": "text/plain"}, body)

    response = sign_in_with_spotify(browser)

    assert "development mode" in response.content.decode()


def test_a_state_that_was_not_given_out_is_refused(wire: Wire, browser: Client) -> None:
    back = walk_to_callback(browser, "mira")
    stranger = new_browser()

    forged = browser.get("/oauth/complete/spotify/?code=abc&state=made-up")
    stolen = stranger.get(back)

    assert forged.status_code == stolen.status_code == 403
    assert "That took too long" in stolen.content.decode()
    assert not wire.sent
    assert not signed_in(stranger)


def test_a_callback_works_once(wire: Wire, browser: Client) -> None:
    back = walk_to_callback(browser, "mira")
    browser.get(back)
    browser.post("/accounts/sign-out/")

    again = browser.get(back)

    assert again.status_code == 403
    assert not signed_in(browser)


def test_a_code_of_another_browser_fails_at_the_verifier(wire: Wire, browser: Client) -> None:
    other = new_browser()
    stolen = parse_qs(urlsplit(walk_to_callback(other, "mira")).query)["code"][0]
    mine = walk_to_callback(browser, "tom")
    state = parse_qs(urlsplit(mine).query)["state"][0]

    response = browser.get(f"/oauth/complete/spotify/?code={stolen}&state={state}")

    assert response.status_code == 403
    assert not User.objects.exists()
    exchange = wire.sent[0]
    assert stolen in str(exchange.body), "the code must have been tried, and refused by the sandbox"


@pytest.mark.parametrize(
    ("failure", "status"),
    [(requests.Timeout(), 504), (requests.ConnectionError(), 503)],
)
def test_a_silent_spotify_is_a_friendly_page(
    wire: Wire, browser: Client, failure: Exception, status: int
) -> None:
    back = walk_to_callback(browser, "mira")
    wire.failure = failure

    response = browser.get(back)

    assert response.status_code == status
    assert "Spotify isn&#x27;t responding properly" in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        (TOKEN_PATH, (500, {}, "<html>"), "isn&#x27;t responding properly"),
        (TOKEN_PATH, (200, {}, "{}"), "isn&#x27;t responding properly"),
        (TOKEN_PATH, (200, {}, "no json"), "isn&#x27;t responding properly"),
        (TOKEN_PATH, (400, {}, '{"error": "invalid_client"}'), "set up correctly"),
        (ME_PATH, (200, {}, "{}"), "isn&#x27;t responding properly"),
        (
            ME_PATH,
            (429, {"Retry-After": "40000"}, '{"error": {"status": 429}}'),
            "limiting",
        ),
    ],
)
def test_every_odd_answer_is_a_friendly_page(
    wire: Wire,
    browser: Client,
    path: str,
    answer: tuple[int, dict[str, str], str],
    words: str,
) -> None:
    wire.answers[path] = answer

    response = sign_in_with_spotify(browser)

    assert response.status_code >= 400
    assert words in response.content.decode()
    assert not User.objects.exists()
