"""Access to pages, photos and videos, and to changes of a story."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from accounts.services import issue_api_token
from stories.models import Story, TagEvent
from tests.factories import (
    make_ready_story,
    make_ready_video_story,
    make_staff,
    make_story,
    make_user,
)
from tests.stories.pages.conftest import HTMX, url

pytestmark = pytest.mark.django_db

PAGES = ["story", "progress", "delete", "photo", "thumbnail"]
ACTIONS = [
    "correct",
    "choose",
    "unchoose",
    "dismiss",
    "retry",
    "delete",
    "steer",
    "filter",
    "learning",
    "restore",
]


@pytest.mark.parametrize("name", PAGES)
def test_page_of_somebody_else_is_not_there(client: Client, me: User, name: str) -> None:
    assert client.get(url(name, make_ready_story())).status_code == 404


@pytest.mark.parametrize("name", ACTIONS)
def test_action_on_story_of_somebody_else_is_not_there(client: Client, me: User, name: str) -> None:
    theirs = make_ready_story()
    assert client.post(url(name, theirs), {"emotion": "sad"}).status_code == 404
    assert Story.objects.filter(pk=theirs.pk).exists()
    assert not TagEvent.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_page_without_sign_in_leads_to_it_and_back(client: Client, name: str) -> None:
    page = url(name, make_ready_story())
    response = client.get(page)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/sign-in/?next={page}")


def test_partial_without_sign_in_sends_the_whole_page_there(client: Client) -> None:
    story = make_ready_story()
    page = f"http://testserver{url('story', story)}"
    headers = {**HTMX, "HX-Current-URL": page}
    response = client.get(url("progress", story), headers=headers)
    assert response["HX-Redirect"] == f"/accounts/sign-in/?next={url('story', story)}"


@pytest.mark.parametrize("name", ACTIONS)
def test_action_by_get_changes_nothing(client: Client, ready: Story, name: str) -> None:
    expected = 200 if name == "delete" else 405
    assert client.get(url(name, ready)).status_code == expected
    assert Story.objects.filter(pk=ready.pk).exists()


@pytest.mark.parametrize("name", ["photo", "thumbnail"])
def test_photo_goes_to_its_owner_and_into_no_shared_cache(
    client: Client, ready: Story, name: str
) -> None:
    response = client.get(url(name, ready))
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"].startswith("private")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("inline")
    assert b"".join(response).startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", ["photo", "thumbnail", "video"])
def test_media_go_to_staff_only_with_the_permission(client: Client, name: str) -> None:
    page = url(name, make_ready_video_story())
    client.force_login(make_user(is_staff=True))
    assert client.get(page).status_code == 404
    client.force_login(make_staff(f"stories.view_{name.replace('thumbnail', 'photo')}"))
    assert client.get(page).status_code == 200


def test_media_stay_closed_to_a_token_of_staff_without_the_permission(client: Client) -> None:
    _, plain = issue_api_token(user=make_user(is_staff=True), label="phone")
    page = url("photo", make_story())
    assert client.get(page, headers={"Authorization": f"Token {plain}"}).status_code == 404


def test_permission_ends_with_being_staff(client: Client) -> None:
    reviewer = make_staff("stories.view_photo")
    reviewer.is_staff = False
    reviewer.save()
    client.force_login(reviewer)
    assert client.get(url("photo", make_story())).status_code == 404


def test_photo_reviewers_are_a_group_that_opens_stories_and_their_media(client: Client) -> None:
    reviewer, story = make_user(is_staff=True), make_ready_video_story()
    reviewer.groups.add(Group.objects.get(name="Photo reviewers"))
    client.force_login(reviewer)
    pages = [url(name, story) for name in ("photo", "thumbnail", "video")]
    pages.append(f"/admin/stories/story/{story.pk}/change/")
    assert [client.get(page).status_code for page in pages] == [200] * 4


def test_photo_goes_to_a_program_with_the_token_of_its_owner(client: Client) -> None:
    story = make_story()
    _, plain = issue_api_token(user=story.user, label="phone")
    page = url("photo", story)
    assert client.get(page, headers={"Authorization": f"Token {plain}"}).status_code == 200
    assert client.get(page).status_code == 302


def test_photo_of_somebody_else_is_not_there_for_a_token(client: Client) -> None:
    _, plain = issue_api_token(user=make_user(), label="phone")
    page = url("photo", make_story())
    assert client.get(page, headers={"Authorization": f"Token {plain}"}).status_code == 404


def test_photo_with_an_unknown_token_is_refused(client: Client) -> None:
    response = client.get(url("photo", make_story()), headers={"Authorization": "Token wrong"})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")


def test_photo_whose_file_is_gone_is_not_there(client: Client, me: User) -> None:
    story = make_story(me)
    story.photo.file.delete(save=False)
    assert client.get(url("photo", story)).status_code == 404
