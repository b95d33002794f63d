"""The OpenAPI schema, its page, and responses that match it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import User
from recommender.models import Track
from stories import services
from tests.factories import make_story
from tests.stories.api.conftest import STORIES
from tests.stories.conftest import FakeModels, FakeQueue

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_names_every_address() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
    schema = APIClient().get("/api/schema/?format=json").json()
    paths = {path: set(methods) for path, methods in schema["paths"].items()}
    one = "/api/v1/stories/{story_id}/"
    assert paths[STORIES] == {"get", "post"}
    assert paths[one] == {"get", "patch", "delete"}
    assert paths[f"{one}suggestions/"] == {"get"}
    assert paths[f"{one}choice/"] == {"post", "delete"}
    assert {"/api/v1/auth/token", "/api/v1/tracks/"} <= set(paths)
    assert "/api/v1/suggestions/{suggestion_id}/feedback/" in paths
    listed = schema["paths"][STORIES]["get"]["responses"]["200"]["content"]["application/json"]
    page = schema["components"]["schemas"][listed["schema"]["$ref"].rpartition("/")[2]]
    assert {"next", "previous", "results"} <= set(page["properties"])


def test_the_browsable_page_loads_nothing_from_elsewhere() -> None:
    page = APIClient().get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert b"https://" not in page.content.replace(b"https://testserver", b"")


def test_answers_keep_to_the_schema(
    client: APIClient, user: User, models: FakeModels, tracks: list[Track], broker: FakeQueue
) -> None:
    from jsonschema import Draft202012Validator

    schema = APIClient().get("/api/schema/?format=json").json()
    wanted = {**schema["components"]["schemas"]["Story"], "components": schema["components"]}
    wanted = json.loads(_null_as_a_type(json.dumps(wanted)))
    story = make_story(user)
    waiting = client.get(f"{STORIES}{story.pk}/").json()
    services.analyse_story(story_id=story.pk)
    ready = client.get(f"{STORIES}{story.pk}/").json()
    for body in (waiting, ready):
        assert UUID(body["id"]) == story.pk
        assert [e.message for e in Draft202012Validator(wanted).iter_errors(body)] == []


def _null_as_a_type(schema: str) -> str:
    """OpenAPI 3.0 says `nullable`, JSON Schema has a type for it."""

    def hook(part: dict[str, Any]) -> dict[str, Any]:
        nullable = part.pop("nullable", False)
        return {"anyOf": [part, {"type": "null"}]} if nullable else part

    return json.dumps(json.loads(schema, object_hook=hook))
