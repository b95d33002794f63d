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
