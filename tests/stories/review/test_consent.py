"""Agreeing to reviews, and taking that back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.selectors import account_json
from accounts.services import record_improve_consent
from stories import tasks
from stories.models import ReviewItem
from stories.personal_data import export_stories
from stories.review.services import next_item
from tests.factories import (
    make_ready_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_user,
)
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db


def test_nobody_has_agreed_unless_they_said_so(client: Client) -> None:
    user = make_user(faces_consent=None)
    client.force_login(user)
    page = client.get("/accounts/notice/").content.decode()

    client.post("/accounts/notice/", {"agreed": "yes"})

    user.refresh_from_db()
    assert 'name="improve"' in page
    assert "checked" not in page
    assert user.faces_consent is True
    assert user.improve_consent is False
    assert "aren't used to improve tagging" in client.get("/accounts/").content.decode()


def test_the_box_in_the_notice_agrees_whatever_is_said_about_faces(
    client: Client, broker: FakeQueue
) -> None:
    user = make_user(faces_consent=None)
    client.force_login(user)

    client.post("/accounts/notice/", {"agreed": "no", "improve": "on"})

    user.refresh_from_db()
    assert (user.faces_consent, user.improve_consent) == (False, True)
    # To leave the box alone later takes nothing back.
    client.post("/accounts/notice/", {"agreed": "yes"})
    user.refresh_from_db()
    assert user.improve_consent is True


def test_agreeing_on_the_account_page_queues_the_earlier_stories(
    client: Client, broker: FakeQueue, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 1.0
    user = make_user()
    story = make_ready_story(user)
    client.force_login(user)

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/improve/", {"agreed": "yes"})

    assert broker.backfills == [user.pk]
    tasks.backfill_reviews(user.pk)
    assert ReviewItem.objects.get().story_id == story.pk
    user.refresh_from_db()
    assert user.improve_consent_at is not None


def test_without_a_broker_the_answer_is_kept_and_the_task_follows_later(
    client: Client, broker: FakeQueue, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 1.0
    user, broker.down = make_user(), True
    make_ready_story(user)
    client.force_login(user)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/improve/", {"agreed": "yes"})

    tasks.fill_review_queues()

    assert ReviewItem.objects.count() == 1


def test_withdrawing_empties_the_queues_at_once_and_says_so(client: Client) -> None:
    item, reviewer = make_review_item(), make_reviewer()
    next_item(reviewer=reviewer)
    staff = Client()
    staff.force_login(reviewer)
    photo = f"/review/{item.pk}/photo.jpg"
    assert staff.get(photo).status_code == 200
    client.force_login(item.story.user)
    assert "removed from all reviews at once" in client.get("/accounts/").content.decode()

    page = client.post("/accounts/improve/", {"agreed": "no"}, follow=True).content.decode()

    assert "taken out of all reviews" in page
    assert next_item(reviewer=reviewer) is None
    assert staff.get(photo).status_code == 404
    assert not ReviewItem.objects.exists()


def test_the_photo_of_a_finished_review_is_shown_only_while_its_owner_agrees() -> None:
    review = make_review()
    staff = Client()
    staff.force_login(make_reviewer())
    photo = f"/review/{review.item_id}/photo.jpg"
    assert staff.get(photo)["Cache-Control"] == "private, max-age=300"

    record_improve_consent(user=review.story.user, agreed=False)

    assert staff.get(photo).status_code == 404
    assert staff.get(f"/review/{review.item_id}/thumbnail.jpg").status_code == 404


def test_an_answer_that_is_neither_yes_nor_no_changes_nothing(client: Client) -> None:
    user = make_user()
    client.force_login(user)

    page = client.post("/accounts/improve/", {"agreed": "maybe"}, follow=True).content.decode()

    user.refresh_from_db()
    assert "choose yes or no" in page
    assert user.improve_consent is False


def test_the_export_has_the_consent_the_reviews_of_one_s_photos_and_those_one_made(
    user: User,
) -> None:
    record_improve_consent(user=user, agreed=True)
    review = make_review(make_review_item(make_ready_story(user)), answers={"action": "dancing"})
    assert review.reviewer

    account = json.loads(account_json(user))
    told = json.loads(dict(export_stories(user))["stories.json"])[0]  # type: ignore[arg-type]
    made = json.loads(dict(export_stories(review.reviewer))["reviews_made.json"])  # type: ignore[arg-type]

    assert account["improve_consent"] is True
    assert account["improve_consent_at"]
    assert [one["answers"] for one in told["reviews"]] == [{"action": "dancing"}]
    assert [one["reason"] for one in told["review_items"]] == ["audit"]
    assert str(review.reviewer.email) not in json.dumps(told)
    assert [one["answers"] for one in made] == [{"action": "dancing"}]
    assert "predicted" not in made[0]
