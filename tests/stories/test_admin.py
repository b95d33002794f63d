from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from ml.mood import MUSIC_MEAN
from stories import services
from stories.models import Story, TagEvent
from tests.factories import make_ready_story, make_staff, make_story, make_user
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db

STORIES = "/admin/stories/story/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def test_staff_find_stories_by_person_and_id_with_thumbnail_and_tags(staff: Client) -> None:
    found, other = make_ready_story(make_user(email="ada@storify.test")), make_story()
    for words in ("ada@storify", str(found.pk)):
        page = staff.get(STORIES, {"q": words}).content.decode()
        assert f"/stories/{found.pk}/thumbnail.jpg" in page
        assert "happy, running, high" in page
        assert str(other.pk) not in page


@pytest.mark.parametrize("may_open", [False, True])
def test_thumbnails_are_for_staff_who_may_open_photos(client: Client, may_open: bool) -> None:
    story = make_ready_story()
    permissions = ["stories.view_story", *(["stories.view_photo"] if may_open else [])]
    client.force_login(make_staff(*permissions))
    pages = {STORIES: "thumbnail.jpg", f"{STORIES}{story.pk}/change/": "photo.jpg"}
    for page, picture in pages.items():
        shown = client.get(page).content.decode()
        assert str(story.pk) in shown
        assert (f"/stories/{story.pk}/{picture}" in shown) is may_open


def test_the_list_takes_the_same_few_queries_for_any_number_of_stories(
    staff: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        make_ready_story()
    with django_assert_max_num_queries(10):
        assert staff.get(STORIES).status_code == 200


def test_a_story_shows_its_analysis_and_its_log_and_cannot_be_edited(staff: Client) -> None:
    story = make_ready_story()
    services.correct_story(story=story, user=story.user, emotion="sad")
    page = staff.get(f"{STORIES}{story.pk}/change/").content.decode()
    assert "set by the owner" in page
    assert 'aria-label="The mood is' in page
    # The lines cross where the words count from.
    assert f'y1="{100 * (1 - MUSIC_MEAN[1])}"' in page
    assert "70%" in page
    assert page.count("the owner") > page.count(
        "set by the owner"
    )  # who changed it, in the history
    assert "corrected emotion" in page.lower()
    assert "&quot;happy&quot;" in page
    assert re.search(r"<summary>\s*<h2[^>]*>\s*Analysis as it is stored", page)
    assert 'name="caption"' not in page
    assert 'name="analysis-0-emotion"' not in page
    assert staff.get(f"{STORIES}add/").status_code == 403


@pytest.mark.parametrize("way", ["page", "action"])
def test_deleting_in_the_admin_deletes_the_files_too(
    staff: Client, way: str, media: Any, django_capture_on_commit_callbacks: Any
) -> None:
    story = make_ready_story()
    services.correct_story(story=story, user=story.user, emotion="sad")
    with django_capture_on_commit_callbacks(execute=True):
        if way == "page":
            staff.post(f"{STORIES}{story.pk}/delete/", {"post": "yes"})
        else:
            chosen = {"action": "delete_selected", "_selected_action": [story.pk], "post": "yes"}
            staff.post(STORIES, chosen)
    assert not Story.objects.exists()
    assert not list(media.rglob("*.jpg"))


def test_failed_stories_can_be_queued_again(
    staff: Client, broker: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    failed, ready = make_story(status="failed", error="x"), make_ready_story()
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(STORIES, {"action": "try_again", "_selected_action": [failed.pk, ready.pk]})
    assert broker.sent == [failed.pk]


def test_the_history_of_tags_is_read_only(staff: Client) -> None:
    story = make_ready_story()
    services.correct_story(story=story, user=story.user, mood=(0.5, 0.5))
    log = "/admin/stories/tagevent/"
    assert str(story.pk) in staff.get(log).content.decode()
    one = TagEvent.objects.get()
    assert staff.post(f"{log}{one.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff.post(f"{log}{one.pk}/change/", {"tag": "action"}).status_code == 403
