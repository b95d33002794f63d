"""Videos in the browser: preview before upload, and playback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.factories import make_ready_video_story, make_user, make_video_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]
LOADED = """video => new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(video.error.message);
    video.preload = "auto";
    video.load();
})"""


def test_chosen_video_is_shown_and_one_that_is_too_long_is_told_so(
    open_window: Window, client: Client, site: str, tmp_path: Path, screenshots: Path
) -> None:
    page = open_window(viewport={"width": 390, "height": 844})
    sign_in(page, client, make_user(), site)
    page.goto("/stories/new/")
    for seconds, name in ((2, "short.webm"), (63, "long.webm")):
        (tmp_path / name).write_bytes(make_video_bytes("webm", seconds=seconds, rate=5))
    page.locator("#photo").set_input_files(tmp_path / "short.webm")
    expect(page.locator("#preview-video")).to_be_visible()
    expect(page.locator("#upload-errors")).to_be_empty()
    page.screenshot(path=screenshots / "video-upload.png", full_page=True)
    page.locator("#photo").set_input_files(tmp_path / "long.webm")
    expect(page.locator("#upload-errors")).to_contain_text("longer than 60 seconds")
    expect(page.locator("#preview-video")).to_be_hidden()
    assert page.locator("#photo").evaluate("input => input.files.length") == 0


def test_player_loads_the_video_and_the_page_says_how_the_mood_goes(
    open_window: Window, client: Client, site: str, screenshots: Path
) -> None:
    page = open_window(viewport={"width": 390, "height": 844})
    user = make_user()
    sign_in(page, client, user, site)
    page.goto(f"/stories/{make_ready_video_story(user, caption='A run').pk}/")
    assert page.locator("video").evaluate("video => video.paused")
    page.locator("video").evaluate(LOADED)
    assert page.locator("video").evaluate("video => [video.paused, video.duration]") == [True, 2]
    expect(page.get_by_text("It begins calm and ends joyful.")).to_be_visible()
    page.get_by_text("Moment by moment").click()
    expect(page.get_by_text("1:05 joyful")).to_be_visible()
    page.screenshot(path=screenshots / "video-story.png", full_page=True)
