"""The sandbox's responses match Spotify's OpenAPI document."""

import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from accounts.spotify.sandbox import catalogue
from tests.accounts.spotify.sandbox_api import Api

SHARED = Path(os.environ.get("STORIFY_SHARED", Path(__file__).parents[4] / "shared"))
DESCRIPTION = SHARED / "spotify" / "openapi.yml"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip(f"Spotify's API description is not at {DESCRIPTION}")
    loaded: dict[str, Any] = yaml.load(DESCRIPTION.read_text(), yaml.CSafeLoader)
    return _with_null(loaded)  # type: ignore[no-any-return]


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


def _schema(description: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    response = description["paths"][path][method.lower()]["responses"][str(status)]
    if "$ref" in response:
        response = description["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    found: dict[str, Any] = response["content"]["application/json"]["schema"]
    return {**found, "components": description["components"]}


TRACK = next(iter(catalogue.TRACKS))
PLAYLIST = {"name": "Mine", "description": "", "public": False}


@pytest.mark.parametrize(
    ("method", "path", "template", "body", "status"),
    [
        ("GET", "/me", "/me", None, 200),
        ("GET", f"/tracks/{TRACK}", "/tracks/{id}", None, 200),
        ("GET", "/search?q=tram&type=track", "/search", None, 200),
        ("POST", "/me/playlists", "/me/playlists", PLAYLIST, 201),
        ("GET", "/audio-features?ids=x", "/audio-features", None, 403),
        ("GET", "/tracks?ids=x", "/tracks", None, 403),
    ],
)
def test_answers_fit_spotifys_description(
    description: dict[str, Any], method: str, path: str, template: str, body: Any, status: int
) -> None:
    response = Api()(method, path, body)

    assert response.status_code == status
    jsonschema.validate(response.json(), _schema(description, method, template, status))


@pytest.mark.parametrize(("listener", "status"), [("nora", 403), ("bea", 429), ("quin", 429)])
def test_refusals_fit_spotifys_description(
    description: dict[str, Any], listener: str, status: int
) -> None:
    response = Api(listener)("GET", f"/tracks/{TRACK}")

    jsonschema.validate(response.json(), _schema(description, "GET", "/tracks/{id}", status))


def test_added_items_fit_spotifys_description(description: dict[str, Any]) -> None:
    playlist = Api()("POST", "/me/playlists", PLAYLIST).json()["id"]

    response = Api()("POST", f"/playlists/{playlist}/items", {"uris": [f"spotify:track:{TRACK}"]})

    schema = _schema(description, "POST", "/playlists/{playlist_id}/items", 201)
    jsonschema.validate(response.json(), schema)


def test_the_check_against_the_description_can_fail(description: dict[str, Any]) -> None:
    track = Api()("GET", f"/tracks/{TRACK}").json()
    del track["album"]["release_date"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(track, _schema(description, "GET", "/tracks/{id}", 200))


def test_limits_and_closed_endpoints_agree_with_the_description(
    description: dict[str, Any],
) -> None:
    from accounts.spotify import client

    parameters = description["paths"]["/search"]["get"]["parameters"]
    (limit,) = [p["schema"] for p in parameters if p.get("name") == "limit"]
    used = ["/me", "/tracks/{id}", "/search", "/me/library", "/me/playlists"]

    assert (limit["default"], limit["maximum"]) == (5, client.SEARCH_LIMIT)
    assert description["paths"]["/audio-features"]["get"]["deprecated"]
    for path in used:
        for method in set(description["paths"][path]) & {"get", "put", "post"}:
            assert not description["paths"][path][method].get("deprecated"), path
