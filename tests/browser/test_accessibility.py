"""Accessibility of the main pages in light and dark: axe-core, and no overflow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.mail.messages import CONSOLE
from accounts.models import User
from accounts.spotify.sandbox import memory
from accounts.spotify.sandbox.songs import NAMED
from accounts.spotify.scopes import Purpose, needed_for
from recommender.models import LibrarySync
from recommender.services import give_feedback, save_choice, set_preferences, suggest_tracks
from stories.models import SpotifySave, Story
from stories.pages.pagination import PAGE
from stories.saving.services import save_to_spotify
from stories.selectors import mood_of
from stories.survey.services import save_answers
from tests.browser.signing_in import sign_in
from tests.factories import (
    make_ready_story,
    make_ready_video_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_spotify_account,
    make_story,
    make_track,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
PUBLIC = [
    *("/", "/accounts/sign-in/", "/accounts/sign-up/", "/accounts/password/reset/"),
    "/accounts/password/reset/sent/",
]
OWN = [
    *("/stories/new/", "/stories/", "/survey/"),
    *("/tracks/taste/", "/staff/intensity/"),
    *("/accounts/", "/accounts/notice/", "/accounts/delete/"),
]
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
WIDTHS = (360, 390, 768, 1280, 1440)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_violation(
    open_window: Window, client: Client, site: str, scheme: str
) -> None:
    page = open_window(color_scheme=scheme, reduced_motion="reduce")
    found = {path: _violations(page, path) for path in [*PUBLIC, *_signing_up(page)]}
    sign_in(page, client, (user := make_reviewer()), site)
    found |= {
        path: _violations(page, path) for path in [*OWN, *_story_pages(user), *_review_pages(user)]
    }
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_pages_fit_every_width(open_window: Window, client: Client, site: str) -> None:
    page = open_window()
    found = [bad for path in [*PUBLIC, *_signing_up(page)] for bad in _overflows(page, path)]
    sign_in(page, client, (user := make_reviewer()), site)
    found += [
        bad
        for path in [*OWN, *_story_pages(user), *_review_pages(user)]
        for bad in _overflows(page, path)
    ]
    assert found == []


def test_hidden_faces_take_no_focus(open_window: Window, client: Client, site: str) -> None:
    page, story = open_window(), make_ready_story(make_user())
    sign_in(page, client, story.user, site)
    page.goto(f"/stories/{story.pk}/")
    toggle = page.get_by_label("Show the face")
    toggle.uncheck()
    toggle.press("Shift+Tab")
    expect(page.locator(".face")).not_to_be_focused()


def test_older_stories_take_the_focus_of_their_link(
    open_window: Window, client: Client, site: str
) -> None:
    page, user = open_window(), make_user()
    stories = [make_story(user) for _ in range(PAGE + 2)]
    sign_in(page, client, user, site)
    page.goto("/stories/")
    page.get_by_role("link", name="Older stories").press("Enter")
    first = page.locator(f".story-card__link[href='/stories/{stories[1].pk}/']")
    expect(first).to_be_focused()


def _signing_up(page: Page) -> list[str]:
    """The pages of signing up, as a local site without a mail server shows them."""
    page.goto("/accounts/sign-up/")
    page.get_by_label("E-mail address").fill(f"{'donaudampfschifffahrt' * 3}@storify.test")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("link", name="/accounts/").click()
    page.get_by_role("heading", name="Choose a password").wait_for()
    return ["/accounts/mail-sent/", "/accounts/confirm/"]


@pytest.fixture(autouse=True)
def local_site(settings: LazySettings) -> None:
    settings.DEBUG, settings.EMAIL_BACKEND = True, CONSOLE


def _signed_in_pages(user: User) -> list[str]:
    return [*OWN, *_story_pages(user), *_review_pages(user)]


def _story_pages(user: User) -> list[str]:
    ready = make_ready_story(user, caption="Donaudampfschifffahrtsgesellschaftskapitän" * 3)
    mood = mood_of(ready)
    assert mood
    first, *_ = suggest_tracks(user=user, story_id=ready.pk, mood=mood)
    give_feedback(user=user, suggestion_id=first.pk, feedback="not_this_one")
    set_preferences(user=user, allow_explicit=False)
    video = make_ready_video_story(user, caption="A run")
    failed = make_story(user, status=Story.Status.FAILED, error="The photo ran away.")
    waiting = make_story(user, status=Story.Status.ANALYSING, stage="action")
    pages = [f"/stories/{story.pk}/" for story in (ready, video, failed, waiting)]
    save_answers(user=user, answers={"running": "high", "music": "very"})
    return [*pages, *_spotify_pages(user), f"/stories/{ready.pk}/delete/", "/survey/results/"]


def _spotify_pages(user: User) -> list[str]:
    """A story whose track is on its way to Spotify, and the search beside it."""
    scopes = " ".join(needed_for(Purpose))
    token = memory.keep_access(memory.Permission("mira", scopes))
    make_spotify_account(user, access_token=token, scopes=scopes, purposes=["library", "save"])
    LibrarySync.objects.create(user=user, state="reading", n_read=20, n_total=500)
    story, song = make_ready_story(user), NAMED[0]
    track = make_track(source_id=song.id, title=song.title * 9, artists=[song.artist])
    save_choice(user=user, story_id=story.pk, track_id=track.pk)
    for to, state in (("library", "queued"), ("storify", "failed"), ("month", "done")):
        save = save_to_spotify(user=user, spotify_id=song.id, to=to)
        later, error = timezone.now() + timedelta(hours=13), "Spotify’s words. " * 9
        SpotifySave.objects.filter(pk=save.pk).update(state=state, due_at=later, error=error)
    address = f"/stories/{story.pk}/"
    return [address, f"{address}find/?q=kitchen", f"{address}spotify/playlists/"]


def _review_pages(user: User) -> list[str]:
    owner = make_user(improve_consent=True)
    make_review(reviewer=user)
    several = make_ready_video_story(owner, caption="Donaudampfschifffahrtsgesellschaft" * 3)
    several.analysis.faces = several.analysis.faces * 3
    several.analysis.save()
    make_review_item(several, reason="disagreement")
    make_review_item(make_ready_story(owner), reason="uncertain")
    return [
        *("/review/", "/review/accept/?queue=uncertain"),
        *("/review/next/?queue=disagreement", "/review/next/?queue=label_error"),
    ]


def _violations(page: Page, path: str) -> list[str]:
    page.goto(path)
    page.evaluate(OPEN_ALL)
    page.evaluate(AXE)
    report: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in report["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def _overflows(page: Page, path: str) -> list[str]:
    page.goto(path)
    page.evaluate(OPEN_ALL)
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} at {width}")
    return found
