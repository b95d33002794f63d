import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from social_django.models import UserSocialAuth

from accounts.models import SpotifyAccount, User
from accounts.spotify.sandbox.listeners import LISTENERS
from tests.accounts.conftest import Wire, local, new_browser, sign_in_with_spotify, walk_to_callback
from tests.factories import make_user

pytestmark = pytest.mark.django_db

TOKEN_PATH = "/sandbox/accounts/api/token"
ME_PATH = "/sandbox/api/v1/me"


def signed_in(client: Client) -> bool:
    return bool(get_user(client).is_authenticated)


def every_row_as_text() -> str:
    """Every row of accounts and social-auth in the database, bypassing the model fields."""
    tables = ("accounts_spotifyaccount", "social_auth_usersocialauth", "accounts_user")
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_somebody_new_walks_through_the_sandbox_and_is_asked_about_faces(
    wire: Wire, browser: Client
) -> None:
    response = sign_in_with_spotify(browser, "mira", next="/stories/new/")

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/notice/?next=")
    user = User.objects.get()
    assert (user.email, user.display_name) == (None, "Mira Solberg")
    assert user.faces_consent is None
    assert not user.has_usable_password()
    assert user.spotify.account_id == LISTENERS["mira"].account_id
    assert (user.spotify.scopes, user.spotify.purposes) == ("", [])
    assert user.spotify.access_token.startswith("BQ")
    assert user.spotify.refresh_token.startswith("AQ")
    assert signed_in(browser)


def test_the_walk_uses_pkce_with_s256_and_a_fresh_state(wire: Wire, browser: Client) -> None:
    first = parse_qs(urlsplit(browser.post("/accounts/spotify/connect/")["Location"]).query)
    second = parse_qs(urlsplit(browser.post("/accounts/spotify/connect/")["Location"]).query)

    assert first["code_challenge_method"] == ["S256"]
    assert first["code_challenge"] != second["code_challenge"]
    assert first["state"] != second["state"]
    assert first["redirect_uri"] == ["http://127.0.0.1:8000/oauth/complete/spotify/"]
    assert "scope" not in first, "signing in needs none"


def test_the_verifier_travels_only_to_the_token_endpoint_with_the_secret_in_the_header(
    wire: Wire, browser: Client
) -> None:
    sign_in_with_spotify(browser)

    exchange, profile = wire.sent
    sent = parse_qs(str(exchange.body))
    assert sent["grant_type"] == ["authorization_code"]
    assert len(sent["code_verifier"][0]) >= 43
    assert "client_secret" not in sent
    assert str(exchange.headers["Authorization"]).startswith("Basic ")
    assert str(profile.headers["Authorization"]).startswith("Bearer ")
    assert wire.timeouts == [8, 8]


def test_coming_back_signs_the_same_person_in_by_account_id(
    wire: Wire, browser: Client, client: Client
) -> None:
    sign_in_with_spotify(browser, "mira")
    user = User.objects.get()
    # The id of the same account has changed since; account_id never does.
    profile = {"id": "another-id", "account_id": user.spotify.account_id, "display_name": "Mira S."}
    wire.answers[ME_PATH] = (200, {}, json.dumps(profile))
    again = new_browser()

    response = sign_in_with_spotify(again, "mira")

    assert response["Location"] == "/"
    assert User.objects.get() == user
    user.spotify.refresh_from_db()
    assert user.spotify.display_name == "Mira S."


def test_signing_in_again_renews_an_ended_permission(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser, "mira")
    SpotifyAccount.objects.update(needs_sign_in=True, access_token="", refresh_token="")

    sign_in_with_spotify(new_browser(), "mira")

    account = SpotifyAccount.objects.get()
    assert not account.needs_sign_in
    assert account.refresh_token.startswith("AQ")


def test_without_account_id_the_id_links(wire: Wire, browser: Client) -> None:
    wire.answers[ME_PATH] = (200, {}, json.dumps({"id": "only-id", "display_name": None}))

    sign_in_with_spotify(browser)

    assert SpotifyAccount.objects.get().account_id == "only-id"
    assert UserSocialAuth.objects.get().uid == "only-id"


def test_somebody_linked_by_id_is_the_same_person_once_account_id_comes(
    wire: Wire, browser: Client
) -> None:
    wire.answers[ME_PATH] = (200, {}, json.dumps({"id": "ada", "display_name": None}))
    sign_in_with_spotify(browser)
    user = User.objects.get()
    wire.answers[ME_PATH] = (200, {}, json.dumps({"id": "ada", "account_id": "aB3dE5fG7h"}))
    returned = new_browser()

    sign_in_with_spotify(returned)

    assert get_user(returned) == user
    assert SpotifyAccount.objects.get().account_id == "aB3dE5fG7h"
    assert UserSocialAuth.objects.get().uid == "aB3dE5fG7h"


def test_an_id_that_is_somebody_elses_account_id_never_signs_in_as_them(
    wire: Wire, browser: Client
) -> None:
    wire.answers[ME_PATH] = (200, {}, json.dumps({"id": "ada", "account_id": "aB3dE5fG7h"}))
    sign_in_with_spotify(browser)
    wire.answers[ME_PATH] = (200, {}, json.dumps({"id": "aB3dE5fG7h", "account_id": "other"}))
    stranger = new_browser()

    sign_in_with_spotify(stranger)

    assert get_user(stranger) != get_user(browser)
    assert SpotifyAccount.objects.count() == 2


def test_an_address_from_spotify_never_takes_over_an_account(wire: Wire, browser: Client) -> None:
    victim = make_user(email="ada@storify.test")
    profile = {"id": "x", "account_id": "y", "email": "ada@storify.test", "display_name": "Not Ada"}
    wire.answers[ME_PATH] = (200, {}, json.dumps(profile))

    sign_in_with_spotify(browser)

    newcomer = User.objects.exclude(pk=victim.pk).get()
    assert newcomer.email is None
    assert not SpotifyAccount.objects.filter(user=victim).exists()


def test_no_token_lies_in_the_database_in_plain_text(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(browser)

    account = SpotifyAccount.objects.get()
    stored = every_row_as_text()
    assert account.account_id in stored
    assert account.access_token not in stored
    assert account.refresh_token not in stored
    assert UserSocialAuth.objects.get().extra_data == {}


def test_connecting_while_signed_in_by_address_links_to_that_account(
    wire: Wire, browser: Client
) -> None:
    user = make_user()
    browser.force_login(user)

    response = sign_in_with_spotify(browser, "tom")

    assert response["Location"] == "/accounts/"
    assert User.objects.count() == 1
    assert SpotifyAccount.objects.get().user == user


def test_a_spotify_account_of_somebody_else_is_refused_clearly(wire: Wire, browser: Client) -> None:
    sign_in_with_spotify(new_browser(), "mira")
    owner = User.objects.get()
    other = make_user()
    browser.force_login(other)

    response = sign_in_with_spotify(browser, "mira")

    assert response.status_code == 409
    assert "already in use" in response.content.decode()
    assert SpotifyAccount.objects.get().user == owner
    assert get_user(browser) == other


def test_a_second_spotify_account_is_refused_and_leaves_no_link(
    wire: Wire, browser: Client
) -> None:
    user = make_user()
    browser.force_login(user)
    sign_in_with_spotify(browser, "mira")

    response = sign_in_with_spotify(browser, "tom")

    assert response.status_code == 409
    assert SpotifyAccount.objects.get().account_id == LISTENERS["mira"].account_id
    assert UserSocialAuth.objects.get().uid == LISTENERS["mira"].account_id


def test_localhost_goes_to_the_address_that_spotify_accepts(client: Client) -> None:
    response = client.get(
        "/accounts/spotify/connect/?next=/stories/", headers={"host": "localhost"}
    )

    assert response["Location"] == "http://127.0.0.1:8000/accounts/spotify/connect/?next=/stories/"


def test_a_plain_http_address_elsewhere_is_never_sent_to_spotify(
    client: Client, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS = ["storify.example"]

    plain = client.post("/accounts/spotify/connect/", headers={"host": "storify.example"})
    tls = client.post(
        "/accounts/spotify/connect/", headers={"host": "storify.example"}, secure=True
    )

    assert plain.status_code == 500
    assert "https://" in plain.content.decode()
    sent = parse_qs(urlsplit(tls["Location"]).query)
    assert sent["redirect_uri"] == ["https://storify.example/oauth/complete/spotify/"]


def test_beginning_needs_the_csrf_token() -> None:
    strict = new_browser(enforce_csrf_checks=True)

    assert strict.post("/accounts/spotify/connect/").status_code == 403
    assert strict.post("/oauth/login/spotify/").status_code == 403


def test_the_real_spotify_gets_the_same_request(client: Client, settings: LazySettings) -> None:
    settings.SPOTIFY_SANDBOX = False
    settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_CLIENT_SECRET = "real-id", "real-secret"
    settings.SPOTIFY_ACCOUNTS_URL = "https://accounts.spotify.com"

    url = client.post("/accounts/spotify/connect/", headers={"host": "127.0.0.1"})["Location"]

    assert url.startswith("https://accounts.spotify.com/authorize?")
    assert parse_qs(urlsplit(url).query)["client_id"] == ["real-id"]
    assert "real-secret" not in url


def test_no_secret_reaches_a_log(
    wire: Wire, browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sign_in_with_spotify(browser, "mira")
    back = walk_to_callback(browser, "tom")
    wire.answers[ME_PATH] = (500, {}, "")
    browser.get(back)

    account = SpotifyAccount.objects.get()
    bearers = [str(request.headers["Authorization"]).split()[1] for request in wire.sent]
    codes = [parse_qs(str(r.body))["code"][0] for r in wire.sent if r.body]
    for secret in (account.access_token, account.refresh_token, *bearers, *codes):
        assert secret not in caplog.text
    assert "Social authentication failure" in caplog.text, "the failure itself must be logged"


def test_the_consent_page_says_plainly_what_it_is(browser: Client) -> None:
    begin = browser.post("/accounts/spotify/connect/")

    page = browser.get(local(begin["Location"])).content.decode()

    assert "This is a sandbox, not Spotify" in page
    assert "See your name" in page
    assert "library" not in page.split("<form")[0]
    for listener in LISTENERS.values():
        assert listener.display_name in page
