"""A newcomer's whole way through the site, in a real browser with a real worker.

Screenshots of every page are kept in var/screenshots. STORIFY_REFRESH_DOCS=1 also renews the
picture in the README.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from playwright.sync_api import Locator, Page, expect

from accounts.mail.messages import CONSOLE
from accounts.models import User
from tests.browser.scenery import lake_at_dusk, lake_by_day

pytestmark = [
    pytest.mark.browser,
    pytest.mark.worker,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("celery_worker_process"),
]
Window = Callable[..., Page]
README_PICTURE = Path(django_settings.BASE_DIR) / "docs" / "story.png"
READY = re.compile("This feels|hard to tell")


def test_newcomer_with_spotify_uploads_hears_corrects_saves_and_is_remembered(
    open_window: Window, tmp_path: Path, screenshots: Path
) -> None:
    page = open_window(viewport={"width": 1280, "height": 900})
    _sign_in_with_the_sandbox(page, screenshots)

    _upload(page, lake_at_dusk(tmp_path), "Last light on the lake, and not a sound.")
    _keep(page, screenshots, "story")
    expect(page.get_by_text("No face found, so there's no emotion.")).to_be_visible()
    expect(_tracks(page)).to_have_count(10)
    _tracks_can_be_heard(page)
    _correcting_changes_the_music(page)

    title = _save_first_track(page)
    _refresh_readme(page)
    page.get_by_role("link", name="History").click()
    expect(page.locator(".story-card").first).to_contain_text(title)
    _keep(page, screenshots, "history")

    page.get_by_role("link", name="New story").first.click()
    _upload(page, lake_by_day(tmp_path), "Back at the lake, and glad of it.")
    expect(page.locator(".reasons", has_text="saved before").first).to_be_visible()
    _refusing_takes_the_track_away(page)


def test_newcomer_with_email_signs_up_declines_faces_and_gets_a_story(
    open_window: Window, tmp_path: Path, screenshots: Path, settings: LazySettings
) -> None:
    settings.DEBUG, settings.EMAIL_BACKEND = True, CONSOLE  # as with `make run`
    page = open_window(viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto("/")
    page.get_by_role("link", name="Sign up with e-mail").click()
    _keep(page, screenshots, "sign-up")
    page.get_by_label("E-mail address").fill("ida@storify.test")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")
    _keep(page, screenshots, "mail-sent")
    page.get_by_role("link", name="/accounts/").click()
    page.get_by_label("Password", exact=True).fill("lingonberry jam 7")
    page.get_by_label("Password confirmation").fill("lingonberry jam 7")
    _keep(page, screenshots, "choose-password")
    page.get_by_role("button", name="Create my account").click()
    page.get_by_role("button", name="No, don't use faces").click()

    _upload(page, lake_at_dusk(tmp_path), "")
    expect(page.get_by_text("Storify didn't read faces, as you chose.")).to_be_visible()
    assert User.objects.get(email="ida@storify.test").faces_consent is False


def test_without_javascript_a_story_is_made_corrected_and_saved(
    open_window: Window, tmp_path: Path
) -> None:
    User.objects.create_user("nils@storify.test", "lingonberry jam 7", faces_consent=True)
    page = open_window(java_script_enabled=False)
    page.goto("/accounts/sign-in/")
    page.get_by_label("E-mail address").fill("nils@storify.test")
    page.get_by_label("Password").fill("lingonberry jam 7")
    page.get_by_role("button", name="Sign in").click()
    page.locator("#photo").set_input_files(lake_at_dusk(tmp_path))
    page.get_by_role("button", name="Find the music").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(READY)  # the page reloads itself

    page.get_by_label("Not right? The emotion is").select_option("happy")
    page.locator("#correct-emotion-button").click()
    expect(page.locator(".chips")).to_contain_text("Happy")
    page.get_by_text("Set the mood with sliders").click()
    page.get_by_label("How energetic?").fill("0.05")
    page.get_by_label("How pleasant?").fill("0.95")
    page.get_by_role("button", name="Use this mood").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("calm")
    page.get_by_role("button", name="Save", exact=False).first.click()
    expect(page.locator(".message")).to_contain_text("Saved")


def _sign_in_with_the_sandbox(page: Page, screenshots: Path) -> None:
    page.goto("/")
    _keep(page, screenshots, "home")
    page.get_by_role("button", name="Continue with Spotify").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This is a sandbox, not Spotify")
    _keep(page, screenshots, "sandbox")
    page.get_by_role("button", name="Mira Solberg").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("May Storify look at faces?")
    _keep(page, screenshots, "notice")
    page.get_by_role("button", name="Yes, use faces").click()


def _upload(page: Page, photo: Path, caption: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("New story")
    page.locator("#photo").set_input_files(photo)
    expect(page.locator("#preview")).to_be_visible()
    page.get_by_label("Caption").fill(caption)
    expect(page.locator("#caption-count")).to_have_text(f"{len(caption)} / 1000")
    page.get_by_role("button", name="Find the music").click()
    page.wait_for_url(re.compile(r"/stories/[0-9a-f-]{36}/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(READY)


def _tracks(page: Page) -> Locator:
    return page.locator(".track-list > .suggestion")


def _tracks_can_be_heard(page: Page) -> None:
    """Check that nothing plays by itself, and that one track at a time plays on a click."""
    assert page.evaluate("[...document.querySelectorAll('audio')].every(a => a.paused)")
    first, second = _tracks(page).nth(0), _tracks(page).nth(1)
    first.get_by_role("button", name="Play").click()
    _wait_for_sound(page, 0)
    second.get_by_role("button", name="Play").click()
    _wait_for_sound(page, 1)
    assert page.evaluate("document.querySelectorAll('.track-list audio')[0].paused")
    second.get_by_role("button", name="Pause").click()
    expect(second.get_by_role("button", name="Play")).to_be_visible()


def _wait_for_sound(page: Page, number: int) -> None:
    page.wait_for_function(
        """number => {
            const audio = document.querySelectorAll('.track-list audio')[number];
            return audio.readyState > 0 && audio.duration > 0 && audio.currentTime > 0;
        }""",
        arg=number,
    )


def _correcting_changes_the_music(page: Page) -> None:
    before = _tracks(page).locator(".track__title").all_inner_texts()
    page.get_by_label("Not right? The emotion is").select_option("happy")
    page.locator("#correct-emotion-button").click()
    expect(page.locator(".chips")).to_contain_text("Happy")
    expect(page.locator(".corrected")).to_contain_text("Set by you")
    assert _tracks(page).locator(".track__title").all_inner_texts() != before

    plane = page.locator("[data-plane]")
    side = plane.evaluate("plane => plane.clientWidth")
    plane.click(position={"x": 0.1 * side, "y": 0.8 * side})
    expect(page.get_by_role("heading", level=1)).to_contain_text("sad")
    handle = page.get_by_role("button", name="Mood point")
    expect(handle).to_be_focused()
    for _ in range(33):
        handle.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_contain_text("calm")


def _save_first_track(page: Page) -> str:
    title = _tracks(page).first.locator(".track__title").inner_text()
    _tracks(page).first.get_by_role("button", name=f"Save {title}").click()
    expect(page.locator("#saved")).to_contain_text(title)
    expect(_tracks(page).first.get_by_role("button", name="Saved")).to_be_focused()
    expect(page.locator(".plane__dot--chosen")).to_have_count(1)
    return title


def _refusing_takes_the_track_away(page: Page) -> None:
    refused = _tracks(page).first.get_attribute("id")
    page.get_by_role("button", name="Not this one").first.click()
    undo = page.locator(f"#{refused}").get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    undo.click()
    expect(page.locator(f"#{refused} .reasons")).to_have_count(1)
    page.get_by_role("button", name="Not this one").first.click()
    expect(undo).to_be_focused()
    page.reload()
    expect(page.locator(f".track-list #{refused} .reasons")).to_have_count(0)


def _keep(page: Page, screenshots: Path, name: str) -> None:
    """Take a screenshot at the width of a phone and one at that of a desktop."""
    # Hiding the caret would leave style attributes behind, which the site's policy forbids.
    size = page.viewport_size
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=screenshots / f"{name}-{width}.png", full_page=True, caret="initial")
    if size:
        page.set_viewport_size(size)


def _refresh_readme(page: Page) -> None:
    if not os.environ.get("STORIFY_REFRESH_DOCS"):
        return
    page.set_viewport_size({"width": 1280, "height": 1340})
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    README_PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=README_PICTURE, caret="initial", animations="disabled")
    page.set_viewport_size({"width": 1280, "height": 900})
