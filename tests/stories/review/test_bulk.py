"""Accepting the model's tags of a list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ml.labels import ACTIONS
from stories.models import Reason, Review, ReviewItem
from tests.factories import (
    certain,
    make_ready_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_user,
)
from tests.stories.review.test_review_page import shown

pytestmark = pytest.mark.django_db
PAGE = "/review/accept/"


@pytest.fixture
def reviewer(client: Client) -> User:
    user = make_reviewer()
    client.force_login(user)
    return user


def waiting(action: str = "running", share: float = 0.6, **fields: Any) -> ReviewItem:
    story = make_ready_story(make_user(improve_consent=True))
    story.analysis.action = certain(ACTIONS, action, share)
    story.analysis.action_label = action
    story.analysis.save()
    return make_review_item(story, **{"reason": Reason.UNCERTAIN, **fields})


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {"running", "sure", "cycling"}),
        ({"tag": "action:running"}, {"running", "sure"}),
        ({"tag": "action:running", "confidence": "0.8"}, {"sure"}),
        ({"tag": "emotion:happy", "confidence": "0.7"}, {"running", "sure", "cycling"}),
        ({"tag": "emotion:sad"}, set()),
        ({"confidence": "0.7"}, {"sure"}),
        ({"queue": "disagreement"}, set()),
    ],
)
def test_the_list_is_filtered_by_queue_class_and_confidence(
    client: Client, reviewer: User, filters: dict[str, str], found: set[str]
) -> None:
    items = {"running": waiting(), "sure": waiting(share=0.9), "cycling": waiting("cycling")}

    page = shown(client.get(PAGE, {"queue": "uncertain", **filters}))

    assert {name for name, item in items.items() if f'value="{item.pk}"' in page} == found
    assert ("Nothing matches" in page) == (not found)


def test_what_somebody_left_is_listed_once_its_lease_ends(client: Client, reviewer: User) -> None:
    now = timezone.now()
    ends = {"left": now - timedelta(seconds=1), "held": now + timedelta(minutes=1)}
    left, held = (
        waiting(leased_by=make_reviewer(), leased_until=ends[name]).pk for name in ("left", "held")
    )

    page = shown(client.get(PAGE, {"queue": "uncertain"}))

    assert (f'value="{left}"' in page, f'value="{held}"' in page) == (True, False)


@pytest.mark.parametrize("reason", [Reason.GOLD, Reason.SECOND_OPINION])
def test_a_photo_about_which_somebody_is_asked_blind_is_not_listed(
    client: Client, reviewer: User, reason: Reason
) -> None:
    item = waiting()
    if reason == Reason.GOLD:
        blind = make_review_item(item.story, reason=reason, expected={"action": "running"})
    else:
        first = make_review(make_review_item(item.story))
        blind = make_review_item(item.story, reason=reason, first=first)

    page = shown(client.get(PAGE, {"queue": "uncertain"}))
    ReviewItem.objects.filter(pk=blind.pk).update(status="done")
    later = shown(client.get(PAGE, {"queue": "uncertain"}))

    assert (str(item.pk) in page, str(item.pk) in later) == (False, True)


def test_audits_and_blind_checks_cannot_be_listed_or_accepted(
    client: Client, reviewer: User
) -> None:
    item = make_review_item()
    assert str(item.pk) not in shown(client.get(PAGE, {"queue": "audit"}))

    response = client.post(PAGE, {"item": item.pk, "sure": "yes"}, follow=True)

    assert "answered one by one" in shown(response)
    assert not Review.objects.exists()


def test_the_confirmation_says_how_many_and_only_then_they_are_accepted(
    client: Client, reviewer: User
) -> None:
    items = [waiting().pk, waiting().pk]

    asked = shown(client.post(f"{PAGE}?queue=uncertain", {"item": items}))
    before = Review.objects.count()
    done = client.post(f"{PAGE}?queue=uncertain", {"item": items, "sure": "yes"}, follow=True)

    assert "Accept the tags of 2 photos?" in asked
    assert before == 0
    assert "Accepted the tags of 2 photos." in shown(done)
    assert done.redirect_chain[0][0] == f"{PAGE}?queue=uncertain"
    assert [(one.bulk, one.answers["action"]) for one in Review.objects.all()] == [
        (True, "running"),
        (True, "running"),
    ]


def test_what_was_reviewed_meanwhile_is_left_out_and_counted(
    client: Client, reviewer: User
) -> None:
    items = [waiting(), waiting()]
    make_review(items[0])

    chosen = {"item": [item.pk for item in items], "sure": "yes"}
    page = shown(client.post(PAGE, chosen, follow=True))

    assert "Accepted the tags of 1 photo. 1 had been taken" in page


def test_photos_of_people_who_no_longer_agree_are_not_accepted(
    client: Client, reviewer: User
) -> None:
    item = waiting()
    User.objects.filter(pk=item.story.user_id).update(improve_consent=False)

    page = shown(client.post(PAGE, {"item": item.pk, "sure": "yes"}, follow=True))

    assert "Please choose at least one photo." in page
    assert not Review.objects.exists()
