"""The home page and the upload page, with and without HTMX."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from stories.models import Story
from stories.uploads.formats import ACCEPTED
from tests.stories.pages.conftest import HTMX, text, upload, url

pytestmark = pytest.mark.django_db


def test_home_tells_strangers_what_this_is(client: Client) -> None:
    response = client.get("/")
    assert "Your photo has a mood" in text(response)
    assert reverse("accounts:sign_up") in text(response)


def test_home_leads_people_to_the_upload(client: Client, me: User) -> None:
    assert client.get("/")["Location"] == reverse("stories:new")


def test_upload_asks_about_faces_first(client: Client, me: User) -> None:
    User.objects.update(faces_consent=None)
    response = client.get(reverse("stories:new"))
    assert response["Location"] == "/accounts/notice/?next=%2Fstories%2Fnew%2F"


@pytest.mark.usefixtures("broker")
def test_upload_makes_a_story_and_leads_to_it(client: Client, me: User) -> None:
    response = client.post(reverse("stories:new"), upload())
    story = Story.objects.get(user=me)
    assert (response.status_code, response["Location"]) == (302, url("story", story))
    assert (story.caption, story.status) == ("A day out", Story.Status.QUEUED)


@pytest.mark.usefixtures("broker")
def test_upload_by_htmx_sends_the_page_to_the_story(client: Client, me: User) -> None:
    response = client.post(reverse("stories:new"), upload(), headers=HTMX)
    assert response["HX-Redirect"] == url("story", Story.objects.get(user=me))


@pytest.mark.usefixtures("broker")
def test_upload_with_a_caption_of_many_lines_counts_a_line_break_once(
    client: Client, me: User
) -> None:
    client.post(reverse("stories:new"), upload(caption="ab\r\n" * 333 + "c"))
    assert Story.objects.get(user=me).caption == "ab\n" * 333 + "c"


@pytest.mark.usefixtures("broker")
def test_upload_sent_twice_is_one_story(client: Client, me: User) -> None:
    once = str(uuid4())
    answers = [client.post(reverse("stories:new"), upload(once=once)) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Story.objects.count() == 1


@pytest.mark.usefixtures("broker")
def test_upload_of_another_photo_from_the_same_page_is_another_story(
    client: Client, me: User
) -> None:
    once = str(uuid4())
    for caption in ("first", "second"):
        assert client.post(reverse("stories:new"), upload(once=once, caption=caption))
    assert set(Story.objects.values_list("caption", flat=True)) == {"first", "second"}


@pytest.mark.usefixtures("broker")
def test_upload_of_a_damaged_photo_from_a_used_page_says_why(client: Client, me: User) -> None:
    once = str(uuid4())
    client.post(reverse("stories:new"), upload(once=once))
    page = client.post(reverse("stories:new"), upload(once=once, content=b""))
    assert page.status_code == 422
    assert "This file is empty" in text(page)
    assert Story.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"content": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, "an SVG drawing"),
        ({"content": b""}, "This file is empty"),
        ({"photo": ""}, "Please choose a photo or a video first."),
        ({"caption": "x" * 1001}, "under 1000 characters"),
    ],
)
def test_upload_that_cannot_be_used_says_why(
    client: Client, me: User, sent: dict[str, Any], words: str
) -> None:
    page = client.post(reverse("stories:new"), upload(**sent))
    part = client.post(reverse("stories:new"), upload(**sent), headers=HTMX)
    assert (page.status_code, part.status_code) == (422, 422)
    assert words in text(page)
    assert words in text(part)
    assert "<html" in text(page)
    assert "<html" not in text(part)
    assert not Story.objects.exists()


def test_upload_page_knows_the_words_of_the_server(client: Client, me: User) -> None:
    page = text(client.get(reverse("stories:new")))
    assert 'too-large="This photo is larger than 40 MB. Please choose a smaller one."' in page
    assert 'too-large="This video is larger than 100 MB.' in page
    assert f"Please choose {ACCEPTED}." in page


@pytest.mark.usefixtures("broker")
def test_too_many_uploads_are_asked_to_wait(client: Client, me: User, settings: Any) -> None:
    settings.STORIES_UPLOAD_RATE = "1/min"
    client.post(reverse("stories:new"), upload())
    response = client.post(reverse("stories:new"), upload())
    assert response.status_code == 429
    assert "Please wait a minute" in text(response)
