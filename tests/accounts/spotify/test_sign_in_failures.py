"""Refused and failed sign-ins with Spotify: each ends on a page that explains it."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from accounts.spotify import budget, circuit_breaker
from accounts.spotify.errors import BudgetSpent, RateLimited
from tests.accounts.conftest import Wire, local, new_browser, sign_in_with_spotify, walk_to_callback
from tests.accounts.spotify.test_sign_in import signed_in

pytestmark = pytest.mark.django_db

TOKEN_PATH = "/sandbox/accounts/api/token"
ME_PATH = "/sandbox/api/v1/me"


def test_saying_no_gives_a_friendly_page_and_makes_nobody(wire: Wire, browser: Client) -> None:
    response = sign_in_with_spotify(browser, "")

    assert response.status_code == 403
    assert "You cancelled at Spotify" in response.content.decode()
    assert not User.objects.exists()
    assert not wire.sent


def test_trying_again_after_saying_no_to_a_permission_leads_back_to_it(
    wire: Wire, browser: Client
) -> None:
    sign_in_with_spotify(browser)
    asked = {"spotify_purpose": "save", "next": "/stories/?page=2"}
    begin = browser.post("/accounts/spotify/allow/save/", asked)
    answer = browser.post(local(begin["Location"]), {"listener": ""})

    page = browser.get(local(answer["Location"])).content.decode()

    again = "/accounts/spotify/allow/save/?next=%2Fstories%2F%3Fpage%3D2"
    assert f'href="{again}"' in page
    assert 'value="/stories/?page=2"' in browser.get(again).content.decode()


def test_a_403_on_me_says_that_the_person_is_not_on_the_allow_list(
    wire: Wire, browser: Client
) -> None:
    response = sign_in_with_spotify(browser, "nora")

    assert response.status_code == 403
    assert "development mode" in response.content.decode()
    assert not User.objects.exists()


def test_a_403_for_want_of_premium_says_who_needs_it(wire: Wire, browser: Client) -> None:
    response = sign_in_with_spotify(browser, "pia")

    assert response.status_code == 403
    assert "renew theirs" in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("retry_after", "words"),
    [("40", "in 1 minute"), ("46800", "in 13 hours"), ("", "in 1 minute")],
)
def test_a_429_says_when_to_try_again(
    wire: Wire, browser: Client, retry_after: str, words: str
) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}
    wire.answers[ME_PATH] = (429, headers, '{"error": {"status": 429}}')

    response = sign_in_with_spotify(browser)

    assert response.status_code == 503
    assert words in response.content.decode()


@pytest.mark.parametrize("path", [TOKEN_PATH, ME_PATH])
def test_a_429_at_sign_in_opens_the_circuit_for_every_call(
    wire: Wire, browser: Client, path: str
) -> None:
    body = '{"error": {"status": 429, "reason": "QUOTA_EXCEEDED"}}'
    wire.answers[path] = (429, {"Retry-After": "46800"}, body)

    sign_in_with_spotify(browser)

    with pytest.raises(RateLimited) as refused:
        circuit_breaker.check()
    assert refused.value.reason == "QUOTA_EXCEEDED"
    assert "in 13 hours" in str(refused.value)


def test_sign_in_has_a_reserve_and_beyond_it_says_when(
    wire: Wire, browser: Client, settings: LazySettings
) -> None:
    settings.SPOTIFY_CALLS_PER_HALF_MINUTE, settings.SPOTIFY_RESERVE = 5, 0.2
    for person in range(4):
        budget.spend(person)
    with pytest.raises(BudgetSpent):
        budget.spend(9)

    first = sign_in_with_spotify(browser)
    second = sign_in_with_spotify(new_browser())

    assert first.status_code == 302
    assert second.status_code == 503
    assert "in 1 minute" in second.content.decode()


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
