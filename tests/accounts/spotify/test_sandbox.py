"""The sandbox answers like Spotify."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts import checks
from accounts.spotify import app
from accounts.spotify.sandbox import songs
from accounts.spotify.sandbox.listeners import LISTENERS
from tests.accounts.spotify.sandbox_api import SCOPE, Api

CALLBACK = "http://127.0.0.1:8000/oauth/complete/spotify/"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
ASK = {
    "client_id": app.SANDBOX_CREDENTIALS[0],
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "code_challenge_method": "S256",
    "code_challenge": CHALLENGE,
    "scope": SCOPE,
    "state": "abc",
}
KINDS = ("tracks", "albums", "episodes", "shows", "audiobooks", "following")
BASIC = "Basic " + base64.b64encode(":".join(app.SANDBOX_CREDENTIALS).encode()).decode()


def authorize(client: Client, listener: str = "mira", **changed: str) -> Any:
    query = urlencode({name: value for name, value in (ASK | changed).items() if value})
    return client.post(f"/sandbox/accounts/authorize?{query}", {"listener": listener})


def code(client: Client, listener: str = "mira") -> str:
    return parse_qs(urlsplit(str(authorize(client, listener)["Location"])).query)["code"][0]


def token(client: Client, basic: str = BASIC, **data: str) -> Any:
    return client.post("/sandbox/accounts/api/token", data, headers={"authorization": basic})


def exchange(client: Client, listener: str = "mira", **changed: str) -> Any:
    data = {
        "grant_type": "authorization_code",
        "code": code(client, listener),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return token(client, **(data | changed))


# --- accounts.spotify.com ---


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "somebody"},
        {"redirect_uri": "http://localhost:8000/oauth/complete/spotify/"},
        {"redirect_uri": "http://storify.example/oauth/complete/spotify/"},
        {"redirect_uri": "https://evil.example/elsewhere/"},
        {"redirect_uri": ""},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
)
def test_a_wrong_request_is_refused_without_redirecting(
    client: Client, changed: dict[str, str]
) -> None:
    response = authorize(client, **changed)

    assert response.status_code == 400
    assert "Location" not in response


def test_consent_goes_back_with_code_and_state(client: Client) -> None:
    yes = parse_qs(urlsplit(authorize(client)["Location"]).query)
    no = parse_qs(urlsplit(authorize(client, "")["Location"]).query)

    assert set(yes) == {"code", "state"}
    assert yes["state"] == ["abc"]
    assert no == {"error": ["access_denied"], "state": ["abc"]}


def test_the_exchange_gives_both_tokens_once(client: Client) -> None:
    plain = code(client)

    first = exchange(client, code=plain)
    second = exchange(client, code=plain)

    assert set(first.json()) == {
        "access_token", "refresh_token", "token_type", "scope", "expires_in",
    }  # fmt: skip
    assert second.status_code == 400
    assert second.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "x"}, "invalid_grant"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"basic": "Basic x"}, "invalid_client"),
        ({"basic": ""}, "invalid_client"),
    ],
)
def test_a_wrong_exchange_is_refused(client: Client, changed: dict[str, str], problem: str) -> None:
    response = exchange(client, **changed)

    assert response.status_code == 400
    assert response.json()["error"] == problem


@pytest.mark.parametrize(("listener", "rotates"), [("mira", False), ("tom", True)])
def test_renewing_gives_a_new_refresh_token_only_to_some(
    client: Client, listener: str, rotates: bool
) -> None:
    old = exchange(client, listener).json()["refresh_token"]

    renewed = token(client, grant_type="refresh_token", refresh_token=old).json()
    again = token(client, grant_type="refresh_token", refresh_token=old)

    assert ("refresh_token" in renewed) is rotates
    assert again.status_code == (400 if rotates else 200)


def test_a_lapsed_permission_answers_invalid_grant(client: Client) -> None:
    old = exchange(client, "gus").json()["refresh_token"]

    response = token(client, grant_type="refresh_token", refresh_token=old)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"


# --- api.spotify.com ---


@pytest.mark.parametrize(
    "path",
    [
        "/audio-features", "/audio-features/x", "/audio-analysis/x", "/recommendations",
        "/recommendations/available-genre-seeds", "/tracks?ids=a,b", "/albums?ids=a",
        "/artists/x/related-artists", "/artists/x/top-tracks", "/browse/featured-playlists",
        "/browse/categories/x/playlists", "/browse/new-releases", "/users/x", "/users/x/playlists",
        "/playlists/x/tracks", "/playlists/x/followers/contains?ids=a",
        *(f"/me/{kind}/contains?ids=a" for kind in KINDS),
    ],
)  # fmt: skip
def test_closed_endpoints_answer_403(path: str) -> None:
    response = Api()("GET", path)

    assert response.status_code == 403
    assert response.json()["error"]["status"] == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("path", [*(f"/me/{kind}" for kind in KINDS), "/playlists/x/followers"])
def test_changes_that_library_took_over_answer_403(method: str, path: str) -> None:
    response = Api()(method, f"{path}?ids=a")

    assert response.status_code == 403
    assert response.json()["error"]["status"] == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/search?q=tram&type=track", 200),
        ("GET", "/search?q=tram&type=track&limit=10", 200),
        ("GET", "/search?q=tram&type=track&limit=11", 400),
        ("GET", "/search?q=tram&type=track&limit=0", 400),
        ("GET", "/search?q=tram&type=track&limit=x", 400),
        ("GET", "/search?q=tram&type=track&offset=1001", 400),
        ("GET", "/search?type=track", 400),
        ("GET", "/search?q=tram", 400),
        ("GET", "/tracks/unknown", 404),
        ("GET", "/somewhere", 404),
        ("POST", "/me", 405),
        ("PUT", "/me/library", 400),
        ("PUT", "/me/library?uris=nonsense", 400),
        ("PUT", "/me/library?uris=" + ",".join(["spotify:track:x"] * 41), 400),
        ("POST", "/me/playlists", 400),
        ("POST", "/playlists/unknown/items", 404),
    ],
)
def test_each_request_has_its_status(method: str, path: str, status: int) -> None:
    assert Api()(method, path).status_code == status


def test_a_search_gives_five_unless_more_are_asked_for() -> None:
    everything = "tram anneke ferrous orkestar hollow lio"

    five = Api()("GET", f"/search?type=track&q={everything}").json()["tracks"]
    ten = Api()("GET", f"/search?type=track&limit=10&q={everything}").json()["tracks"]
    rest = Api()("GET", f"/search?type=track&limit=10&offset=10&q={everything}").json()["tracks"]

    assert (len(five["items"]), len(ten["items"]), len(rest["items"])) == (5, 10, 2)
    assert (five["total"], rest["next"]) == (12, None)
    assert "offset=10" in ten["next"]
    assert "popularity" not in five["items"][0], "apps in development mode are not told"


@pytest.mark.parametrize(("scope", "status"), [(SCOPE, 200), ("", 403)])
def test_a_call_needs_its_scope(scope: str, status: int) -> None:
    response = Api(scope=scope)("PUT", "/me/library?uris=spotify:track:x")

    assert response.status_code == status


def test_an_unknown_token_is_a_401() -> None:
    api = Api()
    api.bearer = "made-up"

    assert api("GET", "/me").status_code == 401


def test_only_the_owner_adds_to_a_playlist() -> None:
    playlist = Api("mira")("POST", "/me/playlists", {"name": "Mine", "public": False}).json()["id"]
    body = {"uris": ["spotify:track:x"]}

    assert Api("tom")("POST", f"/playlists/{playlist}/items", body).status_code == 403
    assert Api("mira")("POST", f"/playlists/{playlist}/items", body).status_code == 201
    assert Api("mira")("POST", f"/playlists/{playlist}/items", {"uris": ["x"]}).status_code == 400


@pytest.mark.parametrize(
    ("listener", "status", "retry_after", "reason"),
    [
        ("pia", 403, None, None),
        ("bea", 429, "20", None),
        ("quin", 429, "46800", "QUOTA_EXCEEDED"),
    ],
)
def test_each_troubled_listener_has_their_trouble(
    listener: str, status: int, retry_after: str | None, reason: str | None
) -> None:
    response = Api(listener)("GET", "/search?q=tram&type=track")

    assert response.status_code == status
    assert response.headers.get("Retry-After") == retry_after
    assert response.json()["error"].get("reason") == reason


# --- only where nobody can take it for the real one ---


def test_the_sandbox_is_shut_where_it_is_off(client: Client, settings: LazySettings) -> None:
    settings.SPOTIFY_SANDBOX = False

    assert Api()("GET", "/me").status_code == 404
    assert authorize(client).status_code == 404
    assert token(client).status_code == 404


def test_the_sandbox_refuses_to_serve_a_real_site(settings: LazySettings) -> None:
    settings.DEBUG, settings.SPOTIFY_CLIENT_ID = False, "real-id"

    with pytest.raises(ImproperlyConfigured):
        Api()("GET", "/me")


@pytest.mark.parametrize(
    ("debug", "client_id", "sandbox", "complaints"),
    [
        (True, "", True, 0),
        (False, "", True, 1),
        (False, "real-id", True, 1),
        (True, "real-id", True, 1),
        (False, "real-id", False, 0),
    ],
)
def test_the_system_check_stops_a_sandbox_on_a_real_site(
    settings: LazySettings, debug: bool, client_id: str, sandbox: bool, complaints: int
) -> None:
    settings.DEBUG, settings.SPOTIFY_CLIENT_ID = debug, client_id
    settings.SPOTIFY_SANDBOX = sandbox

    found = checks.spotify_sandbox_is_local()

    assert [message.id for message in found] == ["accounts.E001"] * complaints


def test_no_listener_or_track_is_there_twice() -> None:
    listeners = [*LISTENERS.values()]
    assert len({one.account_id for one in listeners}) == len({one.id for one in listeners})
    assert len({one.account_id for one in listeners}) == len(listeners)
    assert len(songs.by_id()) == len(songs.NAMED) + len(songs.ODD) + songs.N_GENERATED
    assert all(re.fullmatch("[0-9A-Za-z]{22}", one) for one in songs.by_id())
