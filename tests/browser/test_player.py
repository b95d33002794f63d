"""Spotify's player: on a click, one at a time, never with a video, and a link without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.spotify.sandbox.songs import NAMED
from recommender.models import Suggestion, Track
from recommender.services import suggest_tracks
from stories.models import Story
from stories.selectors import mood_of
from tests.browser.signing_in import sign_in
from tests.factories import make_ready_video_story, make_track, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]


@pytest.fixture
def story(site: str) -> Story:
    """A video with tracks that the sandbox's Spotify plays."""
    Track.objects.all().delete()
    for song in NAMED[:3]:
        make_track(source_id=song.id, title=song.title, artists=[song.artist])
    ready = make_ready_video_story(make_user())
    mood = mood_of(ready)
    assert mood
    suggest_tracks(user=ready.user, story_id=ready.pk, mood=mood)
    return ready


def open_story(page: Page, client: Client, user: User, site: str, story: Story) -> None:
    sign_in(page, client, user, site)
    page.goto(f"/stories/{story.pk}/")


def test_the_player_comes_with_a_click_and_goes_with_the_next(
    open_window: Window, client: Client, site: str, story: Story
) -> None:
    page = open_window(viewport={"width": 390, "height": 800})
    elsewhere: list[str] = []
    page.on("request", lambda one: None if one.url.startswith(site) else elsewhere.append(one.url))
    open_story(page, client, story.user, site, story)
    first, second = (page.locator(".suggestion").nth(n) for n in (0, 1))
    marks = page.locator(".track-list .spotify-mark")
    expect(marks).to_have_count(Suggestion.objects.count())
    expect(page.locator("iframe")).to_have_count(0)

    button = first.get_by_role("button", name="Spotify’s player for")
    button.press("Enter")
    expect(first.locator("iframe")).to_have_count(1)
    expect(first.get_by_role("link", name="Open it on Spotify")).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    second.get_by_role("button", name="Spotify’s player for").press("Enter")
    expect(first.locator("iframe")).to_have_count(0)
    second.get_by_role("button", name="Spotify’s player for").press("Enter")
    expect(page.locator("iframe")).to_have_count(0)
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []


def test_the_player_and_the_video_never_run_together(
    open_window: Window, client: Client, site: str, story: Story
) -> None:
    page = open_window()
    open_story(page, client, story.user, site, story)
    video = page.locator("video")
    video.evaluate("video => { video.loop = true; return video.play(); }")
    expect(video).to_have_js_property("paused", False)
    page.get_by_role("button", name="Spotify’s player for").first.click()
    expect(video).to_have_js_property("paused", True)
    expect(page.locator("iframe")).to_have_count(1)
    video.evaluate("video => video.play()")
    expect(page.locator("iframe")).to_have_count(0)


def test_without_a_connection_a_link_stands_in_for_the_player(
    open_window: Window, client: Client, site: str, story: Story
) -> None:
    page = open_window()
    open_story(page, client, story.user, site, story)
    page.context.set_offline(True)
    first = page.locator(".suggestion").first
    first.get_by_role("button", name="Spotify’s player for").click()
    expect(first.get_by_text("You’re offline")).to_be_visible()
    expect(first.get_by_role("link", name="Open it on Spotify")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)
    page.context.set_offline(False)
