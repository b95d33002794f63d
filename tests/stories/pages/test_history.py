"""History, deletion and unknown addresses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recommender.selectors import current_suggestions
from stories.models import Story
from stories.pages.pagination import PAGE
from tests.factories import (
    make_story,
)
from tests.stories.pages.conftest import HTMX, text, url

pytestmark = pytest.mark.django_db


def test_history_without_stories_invites(client: Client, me: User) -> None:
    assert "No stories yet" in text(client.get(reverse("stories:history")))


def test_history_shows_mood_and_saved_track(client: Client, ready: Story) -> None:
    track = current_suggestions(ready.pk)[0].track
    client.post(url("choose", ready), {"track": track.pk})
    page = text(client.get(reverse("stories:history")))
    assert track.title in page
    assert "Goats &amp; grandma" in page
    assert "A little joyful" in page


def test_history_goes_page_by_page_and_misses_nothing(client: Client, me: User) -> None:
    moment = timezone.now()
    made = {make_story(me, created_at=moment).pk for _ in range(PAGE + 3)}
    make_story()
    first = client.get(reverse("stories:history"))
    older = re.search(r'href="(\?before=[^"]+)"', text(first))
    assert older
    second = client.get(reverse("stories:history") + older[1], headers=HTMX)
    assert "<html" not in text(second)
    shown = re.findall(r"/stories/([0-9a-f-]{36})/\"", text(first) + text(second))
    assert len(shown) == len(made)
    assert set(shown) == {str(pk) for pk in made}
    assert "Older stories" not in text(second)


NO_ID = "0" * 32
BEFORE_TIME, AFTER_TIME = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "2026-01-01~x", "~", f"2026-01-01T00:00~{NO_ID}"),
        *(f"{BEFORE_TIME}~{NO_ID}", f"{AFTER_TIME}~{NO_ID}"),
    ],
)
def test_history_with_a_broken_cursor_is_not_there(client: Client, me: User, cursor: str) -> None:
    make_story(me)
    assert client.get(reverse("stories:history"), {"before": cursor}).status_code == 404


def test_deleting_asks_first_and_then_says_so(client: Client, ready: Story) -> None:
    assert "Delete this story?" in text(client.get(url("delete", ready)))
    response = client.post(url("delete", ready), follow=True)
    assert response.redirect_chain == [(reverse("stories:history"), 302)]
    assert "The story has been deleted." in text(response)
    assert not Story.objects.exists()


def test_unknown_address_has_a_page_of_its_own(client: Client, settings: Any) -> None:
    settings.DEBUG = False
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Page not found" in text(response)
