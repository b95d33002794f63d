"""The page of a story while it is analysed and after a failure."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from stories.models import Story
from stories.workers import model_status
from tests.factories import (
    make_story,
)
from tests.stories.pages.conftest import HTMX, text, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_cache")]


def test_progress_names_the_stage_and_refreshes_without_javascript(
    client: Client, me: User
) -> None:
    story = make_story(me, status=Story.Status.ANALYSING, stage="action")
    page = text(client.get(url("story", story)))
    assert "Recognising the action…" in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_progress_is_silent_while_nothing_changed(client: Client, me: User) -> None:
    story = make_story(me, status=Story.Status.ANALYSING, stage="faces")
    first = text(client.get(url("progress", story), headers=HTMX))
    state = re.search(r'name="progress_state" value="([^"]+)"', first)
    assert state
    again = client.get(url("progress", story), {"progress_state": state[1]}, headers=HTMX)
    assert again.status_code == 204
    Story.objects.update(stage="mood")
    later = client.get(url("progress", story), {"progress_state": state[1]}, headers=HTMX)
    assert "Finding the mood and the music…" in text(later)


def test_progress_without_caption_has_no_step_for_it(client: Client, me: User) -> None:
    story = make_story(me, caption="")
    assert "Reading your caption" not in text(client.get(url("story", story)))


def test_progress_ends_in_the_whole_story(client: Client, ready: Story) -> None:
    response = client.get(url("progress", ready), headers=HTMX)
    assert response["HX-Retarget"] == "#story"
    assert "This feels" in text(response)


def test_progress_without_htmx_leads_to_the_page(client: Client, ready: Story) -> None:
    assert client.get(url("progress", ready))["Location"] == url("story", ready)


def test_story_that_waits_for_the_models_says_how_far_they_are(client: Client, me: User) -> None:
    story = make_story(me)
    model_status.publish("models@here:0", 3, 7)
    page = text(client.get(url("progress", story), headers=HTMX))
    assert "The models are warming up: 3 of 7 parts are loaded." in page
    state = re.search(r'name="progress_state" value="([^"]+)"', page)
    assert state
    again = client.get(url("progress", story), {"progress_state": state[1]}, headers=HTMX)
    assert again.status_code == 204
    model_status.publish("models@here:0", 7, 7)
    later = client.get(url("progress", story), {"progress_state": state[1]}, headers=HTMX)
    assert "warming up" not in text(later)


def test_story_without_models_says_so_once_that_is_more_than_a_restart(
    client: Client, me: User
) -> None:
    now, before = make_story(me), make_story(me, created_at=timezone.now() - timedelta(minutes=2))
    gone = "The models aren’t running at the moment."
    assert gone not in text(client.get(url("story", now)))
    assert gone in text(client.get(url("story", before)))


def test_story_in_a_long_queue_says_so(client: Client, me: User) -> None:
    model_status.publish("models@here:0", 7, 7)
    story = make_story(me, created_at=timezone.now() - timedelta(minutes=2))
    assert "There is a queue" in text(client.get(url("story", story)))


def test_story_whose_queue_is_down_says_so(client: Client, me: User) -> None:
    story = make_story(me, error="Saved. Analysis is delayed.")
    assert "Saved. Analysis is delayed." in text(client.get(url("story", story)))


@pytest.mark.usefixtures("broker")
def test_failed_story_says_why_and_is_tried_again(client: Client, me: User) -> None:
    story = make_story(me, status=Story.Status.FAILED, error="The photo ran away.")
    assert "The photo ran away." in text(client.get(url("story", story)))
    assert client.post(url("retry", story))["Location"] == url("story", story)
    story.refresh_from_db()
    assert story.status == Story.Status.QUEUED


def test_retry_of_a_story_that_is_ready_is_refused_in_words(client: Client, ready: Story) -> None:
    response = client.post(url("retry", ready), follow=True)
    assert "Only a story whose analysis failed" in text(response)
