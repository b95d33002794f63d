"""From "Continue with Spotify" to a track of one's own, saved at the sandbox, and away again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import SpotifyAccount, User
from recommender.models import Choice, LibrarySync, LibraryTrack, Suggestion, Track
from tests.browser.scenery import lake_at_dusk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.worker,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("celery_worker_process"),
]
Window = Callable[..., Page]
LISTENER = "Mira Solberg"
POLL = "**/spotify/?saving_state=*"


def test_ones_own_track_is_suggested_heard_saved_at_spotify_and_forgotten(
    open_window: Window, tmp_path: Path
) -> None:
    page = open_window(viewport={"width": 1280, "height": 900})
    _sign_in(page)
    _allow_the_library(page)

    _make_a_story(page, lake_at_dusk(tmp_path))
    title = _choose_a_track_of_ones_own(page)
    _hear_it_in_the_player(page, title)
    _save_it_at_spotify(page)
    _see_it_there(page, title)

    _disconnect(page)
    _nothing_is_left()


def _sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Continue with Spotify").click()
    expect(page.get_by_text("Storify wants to:")).to_be_visible()
    expect(page.get_by_text("library")).to_have_count(0)
    page.get_by_role("button", name=LISTENER).click()
    page.get_by_role("button", name="No, don't use faces").click()


def _allow_the_library(page: Page) -> None:
    page.goto("/accounts/")
    page.get_by_role("link", name=re.compile(r"Allow\W+Use my Spotify music")).click()
    expect(page.get_by_text("It's yours alone.")).to_be_visible()
    page.get_by_role("button", name="Continue to Spotify").click()
    expect(page.get_by_text("See which tracks and artists you play most")).to_be_visible()
    page.get_by_role("button", name=LISTENER).click()
    expect(page.locator(".message")).to_contain_text("reading your Spotify music")
    expect(page.locator("#own-music")).to_contain_text("60 tracks of your own")


def _make_a_story(page: Page, photo: Path) -> None:
    page.goto("/stories/new/")
    page.locator("#photo").set_input_files(photo)
    page.get_by_role("button", name="Find the music").click()
    page.wait_for_url(re.compile(r"/stories/[0-9a-f-]{36}/$"))
    expect(page.locator(".suggestion")).to_have_count(10)


def _choose_a_track_of_ones_own(page: Page) -> str:
    first = page.locator(".suggestion").first
    could_save_meanwhile: list[bool] = []

    def answer_late(request: Route) -> None:
        could_save_meanwhile.append(first.get_by_role("button", name="Save").is_enabled())
        request.continue_()

    page.route("**/scope/", answer_late, times=1)
    page.get_by_label("My music").check()
    expect(page.locator("#announcer")).to_contain_text("The suggestions are updated")
    assert could_save_meanwhile == [False]  # the list is about to be another one
    expect(first.locator(".reasons")).to_contain_text("From your library")
    title = first.locator(".track__title").inner_text()
    first.get_by_role("button", name=f"Save {title}").click()
    expect(page.locator("#saved")).to_contain_text(title)
    return title


def _hear_it_in_the_player(page: Page, title: str) -> None:
    """Nothing of the player is there before the click, and nothing plays before the next one."""
    expect(page.locator("iframe")).to_have_count(0)
    page.get_by_role("button", name=f"Spotify’s player for {title}").first.click()
    player = page.frame_locator("iframe")
    expect(player.locator(".sandbox-player__words")).to_contain_text(title)
    sound = player.locator("audio")
    assert sound.evaluate("audio => audio.paused")
    sound.evaluate("audio => audio.play()")
    expect(sound).to_have_js_property("paused", False)
    assert sound.evaluate("audio => audio.duration") > 10


def _save_it_at_spotify(page: Page) -> None:
    page.get_by_role("link", name="Allow saving").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save to Spotify")
    page.get_by_role("button", name="Continue to Spotify").click()
    polls: list[Route] = []
    page.route(POLL, lambda poll: polls.insert(0, poll))
    page.get_by_role("button", name=LISTENER).click()
    page.wait_for_url(re.compile(r"/stories/[0-9a-f-]{36}/$"))
    save, places = page.locator("#spotify-save"), page.locator("#spotify-places")
    asked = places.evaluate("part => part.outerHTML").replace('hx-trigger="load"', "")

    def answer_both(request: Route) -> None:
        """Answer the poll after the click, but before the click itself is answered."""
        polls.pop().fulfill(content_type="text/html", body=asked)
        request.continue_()

    page.route("**/spotify/save/", answer_both, times=1)
    save.get_by_role("button", name="Save to your Spotify library").click()
    expect(save).to_contain_text("Saving to your Spotify library")
    save.get_by_text("Add to a playlist").click()
    expect(save.get_by_text("Reading your playlists")).to_have_count(0)
    playlists = save.get_by_label("Playlist")
    month = playlists.locator("option").nth(1).inner_text()
    playlists.select_option(label=month)
    page.unroute(POLL)
    for poll in polls:
        poll.continue_()
    expect(save).to_contain_text("In your Spotify library")
    expect(playlists.locator(":checked")).to_have_text(month)  # the poll left it open and chosen
    expect(playlists).to_be_visible()
    playlists.select_option(label="Storify")
    save.get_by_role("button", name="Add", exact=True).click()
    expect(save).to_contain_text("In “Storify”")


def _see_it_there(page: Page, title: str) -> None:
    page.goto("/sandbox/open/")
    expect(page.get_by_text("1 saved track")).to_be_visible()
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.get_by_role("link", name="Storify", exact=True).last.click()
    expect(page.get_by_text("1 item, private")).to_be_visible()
    expect(page.get_by_role("link", name=title)).to_be_visible()


def _disconnect(page: Page) -> None:
    user = User.objects.get()
    user.email = "mira@storify.test"
    user.set_password("lingonberry jam 7")
    user.save()
    page.goto("/accounts/sign-in/")
    page.get_by_label("E-mail address").fill("mira@storify.test")
    page.get_by_label("Password").fill("lingonberry jam 7")
    page.get_by_role("button", name="Sign in").click()
    page.goto("/accounts/")
    page.get_by_role("link", name="Disconnect Spotify").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator(".message")).to_contain_text("everything from it has been deleted")


def _nothing_is_left() -> None:
    """Of the person's Spotify, that is; their story stays."""
    for model in (SpotifyAccount, LibrarySync, LibraryTrack, Choice):
        assert model._default_manager.count() == 0, model
    from_spotify = Track.Source.SPOTIFY
    assert not Suggestion.objects.filter(track__source=from_spotify).exists()
    assert not Track.objects.filter(source=from_spotify).exists()
