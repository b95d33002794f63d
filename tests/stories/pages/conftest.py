"""Fixtures for the page tests."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from recommender.models import Track
from recommender.services import suggest_tracks
from stories.models import Story
from stories.selectors import mood_of
from tests.factories import (
    make_photo_bytes,
    make_ready_story,
    make_user,
)

HTMX = {"HX-Request": "true"}


@pytest.fixture
def me(client: Client) -> User:
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def ready(me: User, tracks: list[Track]) -> Story:
    story = make_ready_story(me, caption="Goats & grandma")
    mood = mood_of(story)
    assert mood
    suggest_tracks(user=me, story_id=story.pk, mood=mood)
    return story


def url(name: str, story: Story) -> str:
    return reverse(f"stories:{name}", args=[story.pk])


def upload(**changes: Any) -> dict[str, Any]:
    photo = SimpleUploadedFile("x.jpg", changes.pop("content", make_photo_bytes()))
    return {"photo": photo, "caption": "A day out", "once": str(uuid4()), **changes}


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())
