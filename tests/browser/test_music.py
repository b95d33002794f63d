"""Steering, undo and search by keyboard, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, expect

from ml.mood import MoodTarget
from recommender.selectors import current_suggestions, get_choice, music_preferences, story_tuning
from recommender.services import suggest_tracks
from stories.models import Story
from stories.selectors import mood_of
from tests.browser.signing_in import sign_in
from tests.factories import make_ready_story, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]


@pytest.fixture
def story(site: str) -> Story:
    ready = make_ready_story(make_user())
    mood = mood_of(ready)
    assert mood
    suggest_tracks(user=ready.user, story_id=ready.pk, mood=mood)
    return ready


def test_music_is_steered_refused_brought_back_and_found_by_keyboard(
    open_window: Window, client: Client, site: str, story: Story
) -> None:
    page = open_window(viewport={"width": 390, "height": 800})
    sign_in(page, client, story.user, site)
    page.goto(f"/stories/{story.pk}/")
    _slider_keeps_the_focus(page, story)
    _quick_changes_all_count(page, story)
    _refused_track_comes_back(page, story)
    _learning_is_switched_off(page, story)
    _another_track_is_found(page, story)


def _slider_keeps_the_focus(page: Page, story: Story) -> None:
    slider = page.locator("#steering")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".steer")).to_contain_text("Now: between match and lift")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".steer")).to_contain_text("Now: lift")
    assert story_tuning(story.pk).steering == 0.5


def _quick_changes_all_count(page: Page, story: Story) -> None:
    """A step before the first is answered, and a move of the point before the third is."""
    before = mood_of(story)
    held: list[Route] = []
    page.route("**/steer/", lambda request: held.insert(0, request), times=1)
    with page.expect_request("**/steer/"):
        page.locator("#steering").press("ArrowRight")
    page.locator("#steering").press("ArrowRight")
    held.pop().continue_()
    expect(page.locator(".steer")).to_contain_text("Now: contrast")
    page.route("**/steer/", lambda request: held.insert(0, request), times=1)
    with page.expect_request("**/steer/"):
        page.locator("#steering").press("ArrowLeft")
    page.locator("#mood-handle").press("ArrowUp")
    held.pop().continue_()
    expect(page.locator("#announcer")).to_contain_text("Corrected")
    after = mood_of(Story.objects.get(pk=story.pk))
    assert before
    assert after
    assert after.energy > before.energy
    assert story_tuning(story.pk).steering == 0.75
    _a_move_back_counts(page, story, after)


def _a_move_back_counts(page: Page, story: Story, before: MoodTarget) -> None:
    held: list[Route] = []
    page.route("**/correct/", lambda request: held.insert(0, request), times=1)
    with page.expect_request("**/correct/") as first:
        page.locator("#mood-handle").press("ArrowUp")
    page.locator("#mood-handle").press("ArrowDown")
    with page.expect_response(
        lambda answer: answer.url.endswith("/correct/") and answer.request != first.value
    ):
        held.pop().continue_()
    moved_back = mood_of(Story.objects.get(pk=story.pk))
    assert moved_back
    assert moved_back.energy == pytest.approx(before.energy, abs=0.001)


def _refused_track_comes_back(page: Page, story: Story) -> None:
    before = current_suggestions(story.pk)
    first = page.locator(f"#suggestion-{before[0].pk}")
    first.get_by_role("button", name="Not this one").press("Enter")
    undo = first.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(page.locator(".plane__dot--gone")).to_have_count(1)
    undo.press("Enter")
    expect(first.get_by_role("button", name="Save")).to_be_focused()
    expect(page.locator(".plane__dot--gone")).to_have_count(0)
    assert current_suggestions(story.pk) == before


def _learning_is_switched_off(page: Page, story: Story) -> None:
    page.get_by_role("button", name="Don’t learn from this story").press("Enter")
    expect(page.get_by_role("button", name="Learn from this story again")).to_be_focused()
    assert not story_tuning(story.pk).learns


def _another_track_is_found(page: Page, story: Story) -> None:
    wanted = current_suggestions(story.pk)[-1].track
    held: list[Route] = []
    page.route("**/find/?*", lambda request: held.insert(0, request), times=1)
    page.get_by_text("Know a better track?").press("Enter")
    typed = wanted.title[0] + wanted.title[2:]
    page.get_by_label("Title or artist").fill(f"{typed} {wanted.artist_line}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Searching…")).to_be_visible()
    held.pop().continue_()
    found = page.locator("#found").get_by_role(
        "button", name=f"Save {wanted.title} with this story"
    )
    expect(page.get_by_text("Searching…")).to_be_hidden()
    found.press("Enter")
    page.wait_for_url(f"**/stories/{story.pk}/")
    expect(page.locator("#saved")).to_contain_text(wanted.title)
    choice = get_choice(story.pk)
    assert choice
    assert choice.track == wanted


def test_music_is_steered_and_filtered_without_script(
    open_window: Window, client: Client, site: str, story: Story
) -> None:
    page = open_window(java_script_enabled=False)
    sign_in(page, client, story.user, site)
    page.goto(f"/stories/{story.pk}/")
    page.locator("#steering").fill("1")
    page.get_by_role("button", name="Go there").click()
    expect(page.locator(".steer")).to_contain_text("Now: contrast")
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Classical").check()
    page.get_by_role("button", name="Use these filters").click()
    expect(page.locator(".filters")).to_contain_text("1 on")
    assert music_preferences(story.user).genres == ["classical"]
    assert {one.track.genre for one in current_suggestions(story.pk)} == {"Chamber"}
