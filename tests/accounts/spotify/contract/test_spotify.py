"""What the client asks and what the sandbox answers match Spotify's OpenAPI document."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest

from accounts.spotify import client
from accounts.spotify.client import Spotify, TopRange
from accounts.spotify.sandbox import songs
from accounts.spotify.scopes import SCOPES, Purpose
from tests.accounts.spotify.contract.cut import EXCERPT
from tests.accounts.spotify.fake_spotify import FakeSpotify
from tests.accounts.spotify.sandbox_api import Api
from tests.factories import make_spotify_account

TRACK = songs.NAMED[0].id
PLAYLIST = {"name": "Mine", "description": "", "public": False}


def _with_null(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema says that the type may be null."""
    if isinstance(node, list):
        return [_with_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _with_null(value) for key, value in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    return node


DESCRIPTION: dict[str, Any] = _with_null(json.loads(EXCERPT.read_text()))
PATHS: dict[str, Any] = DESCRIPTION["paths"]


def schema(method: str, path: str, status: int) -> dict[str, Any]:
    response = PATHS[path][method.lower()]["responses"][str(status)]
    if "$ref" in response:
        response = DESCRIPTION["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    found: dict[str, Any] = response["content"]["application/json"]["schema"]
    return {**found, "components": DESCRIPTION["components"]}


def fits(answer: Any, method: str, path: str, status: int) -> None:
    assert answer.status_code == status
    jsonschema.validate(answer.json(), schema(method, path, status))


# --- what the sandbox answers ---


@pytest.mark.parametrize("listener", ["ines", "vera", "mira"])
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/me", "/me"),
        (f"/tracks/{TRACK}", "/tracks/{id}"),
        ("/search?q=letters&type=track&limit=10", "/search"),
        ("/search?q=%F0%9F%8C%A7&type=track&offset=990", "/search"),
        ("/me/tracks?limit=50", "/me/tracks"),
        ("/me/tracks?offset=450&limit=50", "/me/tracks"),
        ("/me/top/tracks?time_range=short_term", "/me/top/tracks"),
        ("/me/top/artists?time_range=long_term&offset=20", "/me/top/artists"),
        ("/me/player/recently-played?limit=50", "/me/player/recently-played"),
        ("/me/player/recently-played?before=1", "/me/player/recently-played"),
        ("/me/playlists", "/me/playlists"),
        (f"/me/library/contains?uris=spotify:track:{TRACK}", "/me/library/contains"),
    ],
)
def test_answers_fit_spotifys_description(listener: str, path: str, template: str) -> None:
    fits(Api(listener)("GET", path), "GET", template, 200)


def test_playlist_items_fit_it_but_for_what_it_leaves_out() -> None:
    """Spotify sends null for what is gone, and nulls inside a local file; neither is described."""
    api = Api("ines")
    mixed = next(
        one for one in api("GET", "/me/playlists").json()["items"] if one["name"] == "All sorts"
    )
    answer = api("GET", f"/playlists/{mixed['id']}/items?limit=50").json()
    described = [one for one in answer["items"] if one["item"] and not one["is_local"]]

    assert len(described) == len(answer["items"]) - 2
    assert {one["item"]["type"] for one in described} == {"track", "episode"}
    jsonschema.validate(
        answer | {"items": described}, schema("GET", "/playlists/{playlist_id}/items", 200)
    )


def test_changes_fit_it() -> None:
    api, path = Api(), "/playlists/{playlist_id}/items"
    made = api("POST", "/me/playlists", PLAYLIST)
    uri = f"spotify:track:{TRACK}"
    items = f"/playlists/{made.json()['id']}/items"

    fits(made, "POST", "/me/playlists", 201)
    fits(api("POST", items, {"uris": [uri]}), "POST", path, 201)
    fits(api("DELETE", items, {"items": [{"uri": uri}]}), "DELETE", path, 200)
    for method in ("PUT", "DELETE"):
        assert api(method, f"/me/library?uris={uri}").status_code == 200


@pytest.mark.parametrize(
    ("listener", "path", "template", "status"),
    [
        ("mira", "/audio-features?ids=x", "/audio-features", 403),
        ("mira", "/tracks?ids=x", "/tracks", 403),
        ("pia", f"/tracks/{TRACK}", "/tracks/{id}", 403),
        ("bea", f"/tracks/{TRACK}", "/tracks/{id}", 429),
        ("quin", f"/tracks/{TRACK}", "/tracks/{id}", 429),
    ],
)
def test_refusals_fit_it(listener: str, path: str, template: str, status: int) -> None:
    fits(Api(listener)("GET", path), "GET", template, status)


def test_missing_scopes_and_foreign_playlists_fit_it() -> None:
    foreign = next(
        one
        for one in Api("ines")("GET", "/me/playlists").json()["items"]
        if one["owner"]["id"] != "31sandboxines"
    )

    fits(Api("ines", scope="")("GET", "/me/tracks"), "GET", "/me/tracks", 403)
    answer = Api("ines")("GET", f"/playlists/{foreign['id']}/items")
    fits(answer, "GET", "/playlists/{playlist_id}/items", 403)


@pytest.mark.parametrize("public", [True, False])
def test_a_playlist_takes_the_scope_of_its_kind_to_be_made_and_changed(public: bool) -> None:
    path, kinds = "/playlists/{playlist_id}/items", ("private", "public")
    right, wrong = (Api(scope=f"playlist-modify-{kinds[one]}") for one in (public, not public))
    made = right("POST", "/me/playlists", PLAYLIST | {"public": public})
    items, body = f"/playlists/{made.json()['id']}/items", {"uris": [f"spotify:track:{TRACK}"]}

    assert {f"playlist-modify-{kind}" for kind in kinds} == {
        *PATHS[path]["post"]["security"][0]["oauth_2_0"]
    }
    fits(right("POST", items, body), "POST", path, 201)
    fits(wrong("POST", items, body), "POST", path, 403)
    refused = wrong("POST", "/me/playlists", PLAYLIST | {"public": public})
    fits(refused, "POST", "/me/playlists", 403)


def test_the_check_against_the_description_can_fail() -> None:
    track = Api()("GET", f"/tracks/{TRACK}").json()
    del track["album"]["release_date"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(track, schema("GET", "/tracks/{id}", 200))


# --- what the client asks ---


def call_everything(spotify: Spotify) -> None:
    spotify.me()
    spotify.saved_tracks()
    spotify.top_tracks(TopRange.SHORT)
    spotify.top_artists(TopRange.LONG)
    spotify.recently_played()
    spotify.playlists()
    spotify.playlist_items("p1")
    spotify.search_tracks("rain", genre="folk", year="1990")
    spotify.get_track("t1")
    spotify.save_to_library(["t1"])
    spotify.remove_from_library(["t1"])
    spotify.library_contains(["t1"])
    spotify.create_playlist("Mine")
    spotify.add_to_playlist("p1", ["t1"])
    spotify.remove_from_playlist("p1", ["t1"])


def answer_anything(request: httpx.Request) -> httpx.Response:
    """Something that every call can read."""
    if request.url.path.endswith("contains"):
        return httpx.Response(200, json=[True])
    page: dict[str, Any] = {"items": [], "next": None, "total": 0, "offset": 0, "limit": 50}
    track = {"id": "x", "name": "x", "artists": [], "duration_ms": 1, "owner": {"id": "me"}}
    more = {"snapshot_id": "s", "account_id": "a", "tracks": page}
    return httpx.Response(200, json={**track, **page, **more})


@pytest.fixture
def asked(db: None) -> list[httpx.Request]:
    wire = FakeSpotify(answer_anything)
    with Spotify(make_spotify_account(), transport=wire) as spotify:
        call_everything(spotify)
    return wire.asked


def described(request: httpx.Request) -> dict[str, Any]:
    """The operation of the description that a request is."""
    path = urlsplit(str(request.url)).path.partition("/v1")[2]
    fitting = [
        operations
        for template, operations in PATHS.items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    (operations,) = fitting
    operation: dict[str, Any] = operations[request.method.lower()]
    return operation


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = (
        DESCRIPTION["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]
        if "$ref" in one
        else one
        for one in operation.get("parameters", [])
    )
    return {one["name"]: one for one in found}


def test_each_call_is_described_open_and_asks_for_nothing_unknown(
    asked: list[httpx.Request],
) -> None:
    for request in asked:
        operation = described(request)
        known = parameters(operation)
        assert not operation.get("deprecated"), request.url
        assert set(request.url.params) <= set(known)
        required = {name for name, one in known.items() if one.get("required")}
        assert required <= {*request.url.params, "playlist_id", "id"}
        for name, value in request.url.params.items():
            limits = known[name]["schema"]
            if limits.get("type") == "integer":
                low, high = limits.get("minimum", 0), limits.get("maximum", 10**9)
                assert low <= int(value) <= high, name


def test_each_body_is_as_described(asked: list[httpx.Request]) -> None:
    bodies = [one for one in asked if one.content]

    assert len(bodies) == 3
    for request in bodies:
        content = described(request)["requestBody"]["content"]["application/json"]
        body = json.loads(request.content)
        jsonschema.validate(body, {**content["schema"], "components": DESCRIPTION["components"]})
        assert set(body) <= set(content["schema"]["properties"])


def test_every_scope_of_a_purpose_is_needed_by_a_call_and_no_other_is(
    asked: list[httpx.Request],
) -> None:
    # A call needs one of the scopes that are named: for playlists in public (which can't be chosen
    # to save to), for people, and for an address and a country in the profile, Storify has no use.
    unused = {"playlist-modify-public", "user-follow-modify", "user-follow-read"}
    named = {
        scope
        for request in asked
        if not request.url.path.endswith("/v1/me")
        for scope in described(request)["security"][0]["oauth_2_0"]
        if scope not in unused
    }

    assert set().union(*(SCOPES[purpose] for purpose in Purpose)) == named


def test_limits_agree_with_the_description() -> None:
    search = parameters(PATHS["/search"]["get"])["limit"]["schema"]
    page = parameters(PATHS["/me/tracks"]["get"])["limit"]["schema"]
    offset = parameters(PATHS["/search"]["get"])["offset"]["schema"]

    assert (search["default"], search["maximum"]) == (5, client.SEARCH_LIMIT)
    assert page["maximum"] == client.PAGE_LIMIT
    assert offset["maximum"] == client.SEARCH_OFFSET_LIMIT
    assert PATHS["/audio-features"]["get"]["deprecated"]
