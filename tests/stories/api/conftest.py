"""Fixtures for the API tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories import make_photo_bytes

STORIES = "/api/v1/stories/"
STORY_KEYS = {
    "id", "status", "error", "photo", "caption", "tags", "mood", "suggestions", "chosen",
    "created_at", "video", "video_status", "moments",
}  # fmt: skip


@pytest.fixture
def client(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def photo(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("holiday.jpg", make_photo_bytes() if data is None else data)


def post_story(client: APIClient, data: bytes | None = None, **extra: Any) -> Any:
    headers = extra.pop("headers", None)
    form = {"photo": photo(data), **extra}
    return client.post(STORIES, form, format="multipart", headers=headers)


def assert_problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = dict(json.loads(answer.content))
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    if code:
        assert body["code"] == code
    return body
