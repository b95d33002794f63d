"""The upload page when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Window = Callable[..., Page]
NO_PHOTO = {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": b"Not a photo. " * 100}


@pytest.fixture
def page(open_window: Window, client: Client, site: str) -> Page:
    # Of its own, because Chromium complains in the console about every answer with an error.
    page = open_window().context.new_page()
    page.set_viewport_size({"width": 390, "height": 500})
    sign_in(page, client, make_user(), site)
    page.goto("/stories/new/")
    page.locator("#photo").set_input_files(NO_PHOTO)  # type: ignore[arg-type]
    page.get_by_label("Caption").fill("Last light")
    return page


def test_refused_upload_says_why_and_nothing_is_under_way(page: Page) -> None:
    page.get_by_role("button", name="Find the music").click()
    expect(page.locator("#upload-errors")).to_contain_text("Please choose")
    expect(page.locator("#upload-progress")).to_be_hidden()
    expect(page.get_by_label("Caption")).to_have_value("Last light")


def test_failure_is_told_each_time_and_no_longer_after_a_success(page: Page) -> None:
    page.route("**/stories/new/", lambda route: route.fulfill(status=503))
    messages = page.locator("#messages")
    for _ in range(2):
        page.get_by_role("button", name="Find the music").click()
        expect(messages).to_contain_text("Storify is temporarily unavailable")
        expect(messages).to_be_in_viewport()
        page.get_by_role("button", name="Find the music").scroll_into_view_if_needed()
        expect(messages).not_to_be_in_viewport()
    page.unroute("**/stories/new/")
    page.get_by_role("button", name="Find the music").click()
    expect(page.locator("#upload-errors")).to_contain_text("Please choose")
    expect(messages).to_be_empty()


def test_form_of_before_signing_in_anew_asks_to_reload_the_page(
    page: Page, client: Client, site: str
) -> None:
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Find the music").click()
    expect(page.locator("#messages")).to_have_text(
        "This page is out of date. Reload it and try again."
    )
