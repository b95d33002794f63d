"""The waiting page follows the analysis; the test stands in for the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from stories.models import Analysis, Story
from stories.services import job_publisher
from tests.browser.signing_in import sign_in
from tests.factories import make_ready_story, make_story, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]


def test_progress_is_shown_stage_by_stage_and_ends_in_the_story(
    open_window: Window, client: Client, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_publisher, "publish_analysis", lambda _: None)  # so that it waits
    user = make_user()
    page = open_window()
    sign_in(page, client, user, site)
    story = make_story(user, status=Story.Status.ANALYSING, stage="faces")
    page.goto(f"/stories/{story.id}/")
    expect(page.locator(".step--now")).to_have_text("Looking for faces…")

    _update(story, stage="action")
    expect(page.locator(".step--now")).to_have_text("Recognising the action…")
    expect(page.locator(".step--done")).to_have_count(2)

    _finish(story)
    expect(page.get_by_role("heading", level=1)).to_contain_text("This feels")


def test_failure_says_why_and_can_be_tried_again(
    open_window: Window, client: Client, site: str
) -> None:
    user = make_user()
    page = open_window()
    sign_in(page, client, user, site)
    story = make_story(user, status=Story.Status.ANALYSING, stage="faces")
    page.goto(f"/stories/{story.id}/")
    _update(story, status=Story.Status.FAILED, error="The photo ran away.")
    expect(page.get_by_role("alert")).to_have_text("The photo ran away.")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Analysing your photo")


def test_outage_is_told_until_it_is_over(
    open_window: Window, client: Client, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_publisher, "publish_analysis", lambda _: None)
    user = make_user()
    # Of its own, because Chromium complains in the console about every answer with an error.
    page = open_window().context.new_page()
    sign_in(page, client, user, site)
    story = make_story(user, status=Story.Status.ANALYSING, stage="faces")
    page.route("**/progress/?*", lambda route: route.fulfill(status=503))
    page.goto(f"/stories/{story.id}/")
    expect(page.locator("#messages")).to_contain_text("Storify is temporarily unavailable")
    page.unroute("**/progress/?*")
    expect(page.locator("#messages")).to_be_empty()


def _update(story: Story, **fields: Any) -> None:
    Story.objects.filter(pk=story.pk).update(**fields)


def _finish(story: Story) -> None:
    """Store the result of an analysis, copied from another story."""
    Analysis.objects.filter(story=make_ready_story()).update(story=story)
    _update(story, status=Story.Status.READY, stage="")
