"""Access to the API by credentials."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_api_token
from stories.models import Story
from tests.factories import make_ready_story, make_user
from tests.stories.api.conftest import STORIES, assert_problem, post_story
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db


CALLS = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    ("get", "suggestions/"),
    ("post", "choice/"),
    ("delete", "choice/"),
    ("post", "retry/"),
]


@pytest.mark.parametrize(("method", "part"), CALLS)
def test_stories_of_others_do_not_exist(client: APIClient, method: str, part: str) -> None:
    theirs = make_ready_story(make_user())
    for story_id in (theirs.pk, uuid4()):
        assert_problem(getattr(client, method)(f"{STORIES}{story_id}/{part}"), 404)
    assert Story.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize(("method", "part"), CALLS)
def test_strangers_are_asked_to_sign_in(user: User, method: str, part: str) -> None:
    answer = getattr(APIClient(), method)(f"{STORIES}{make_ready_story(user).pk}/{part}")
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"


def test_a_token_opens_the_api_and_a_wrong_one_does_not(user: User) -> None:
    story = make_ready_story(user)
    _, plain = issue_api_token(user=user, label="test")
    for token, status in ((plain, 200), (f"{plain}x", 401)):
        headers = {"Authorization": f"Token {token}"}
        assert Client().get(f"{STORIES}{story.pk}/", headers=headers).status_code == status


def test_a_session_writes_only_with_the_csrf_token(user: User, broker: FakeQueue) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.get(STORIES).status_code == 200
    assert_problem(post_story(browser), 403)
