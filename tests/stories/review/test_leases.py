"""Which item a reviewer gets next, and for how long it is theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from stories.models import Reason, Review, ReviewItem, Story
from stories.review.errors import ItemGoneError, NotAReviewerError, UnknownQueueError
from stories.review.selectors import askable_items, not_taken
from stories.review.services import next_item, save_review, skip_item
from stories.review.services.leases import next_of
from tests.factories import (
    make_ready_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_staff,
    make_user,
)
from tests.stories.services.threads import beside

pytestmark = pytest.mark.django_db

RUNNING = {"action": "running"}


def end_lease(item: ReviewItem) -> None:
    ReviewItem.objects.filter(pk=item.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


def test_the_most_urgent_item_of_the_queue_comes_first() -> None:
    make_review_item(priority=0.2)
    urgent = make_review_item(priority=0.9)
    make_review_item(reason=Reason.UNCERTAIN, priority=1.0)

    assert next_item(reviewer=make_reviewer(), reason=Reason.AUDIT) == urgent


def test_without_a_queue_the_audit_comes_first() -> None:
    make_review_item(reason=Reason.UNCERTAIN, priority=1.0)
    audit = make_review_item(priority=0.1)

    assert next_item(reviewer=make_reviewer()) == audit


def test_two_reviewers_never_hold_the_same_item() -> None:
    items = {make_review_item().pk, make_review_item().pk}
    reviewers = [make_reviewer() for _ in range(3)]

    given = [next_item(reviewer=one) for one in reviewers]

    assert {item.pk for item in given if item} == items
    assert given[2] is None


def test_a_reloaded_page_shows_the_item_that_is_held() -> None:
    make_review_item(), make_review_item()
    reviewer = make_reviewer()

    first = next_item(reviewer=reviewer)

    assert next_item(reviewer=reviewer) == first


def test_the_item_after_the_one_on_screen_can_be_fetched_ahead() -> None:
    make_review_item(), make_review_item()
    reviewer = make_reviewer()
    first = next_item(reviewer=reviewer)
    assert first

    ahead = next_item(reviewer=reviewer, besides=[first.pk])

    assert ahead not in (None, first)
    save_review(item=first, reviewer=reviewer, answers=RUNNING)
    assert next_item(reviewer=reviewer) == ahead


def test_an_abandoned_item_returns_after_its_lease() -> None:
    item, reviewer = make_review_item(), make_reviewer()
    assert next_item(reviewer=make_reviewer()) == item
    assert next_item(reviewer=reviewer) is None

    end_lease(item)

    assert next_item(reviewer=reviewer) == item


def test_a_skipped_item_goes_to_somebody_else_at_once() -> None:
    item, reviewer = make_review_item(), make_reviewer()
    next_item(reviewer=reviewer)

    skip_item(item=item, reviewer=reviewer)

    assert next_item(reviewer=reviewer) is None
    assert next_item(reviewer=make_reviewer()) == item


def test_an_item_deleted_meanwhile_cannot_be_skipped() -> None:
    item, reviewer = make_review_item(), make_reviewer()
    ReviewItem.objects.filter(pk=item.pk).delete()

    with pytest.raises(ItemGoneError):
        skip_item(item=item, reviewer=reviewer)


def test_nobody_reviews_their_own_photos() -> None:
    reviewer = make_reviewer(improve_consent=True)
    make_review_item(make_ready_story(reviewer))

    assert next_item(reviewer=reviewer) is None


def test_what_became_unreviewable_is_not_handed_out() -> None:
    story = make_ready_story(make_user(improve_consent=True))
    make_review_item(story)
    unshared = make_review_item()
    User.objects.filter(pk=unshared.story.user_id).update(improve_consent=False)
    Story.objects.filter(pk=story.pk).update(status=Story.Status.QUEUED)

    assert next_item(reviewer=make_reviewer()) is None


@pytest.mark.parametrize(
    "made_by",
    [
        make_user,
        lambda: make_staff("stories.view_photo"),
        lambda: make_reviewer(is_active=False),
    ],
    ids=["person", "staff", "inactive"],
)
def test_without_the_permission_there_is_no_item(made_by: Callable[[], User]) -> None:
    item, asking = make_review_item(), made_by()

    for refused in (
        lambda: next_item(reviewer=asking),
        lambda: skip_item(item=item, reviewer=asking),
        lambda: save_review(item=item, reviewer=asking, answers=RUNNING),
    ):
        with pytest.raises(NotAReviewerError):
            refused()
    assert not Review.objects.exists()


def test_a_second_opinion_is_never_asked_of_the_first_reviewer(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    first = make_review()

    assert first.reviewer is not None
    assert next_item(reviewer=first.reviewer) is None
    second = next_item(reviewer=make_reviewer())
    assert second
    assert second.first == first
    assert second.blind


def test_gold_is_answered_once_by_each_reviewer() -> None:
    gold = make_review_item(reason=Reason.GOLD, expected=RUNNING)
    one, other = make_reviewer(), make_reviewer()

    for reviewer in (one, other):
        assert next_item(reviewer=reviewer) == gold
        save_review(item=gold, reviewer=reviewer, answers=RUNNING)

    assert next_item(reviewer=one) is None


def test_blind_checks_are_mixed_into_any_queue(settings: Any) -> None:
    settings.STORIES_REVIEW_BLIND_SHARE = 1.0
    make_review_item(reason=Reason.UNCERTAIN)
    gold = make_review_item(reason=Reason.GOLD, expected=RUNNING)

    assert next_item(reviewer=make_reviewer(), reason=Reason.UNCERTAIN) == gold


@pytest.mark.parametrize("queue", ["gold", "second_opinion", "nonsense"])
def test_a_queue_that_is_hidden_or_unknown_cannot_be_chosen(queue: str) -> None:
    make_review_item(reason=Reason.GOLD, expected=RUNNING)
    with pytest.raises(UnknownQueueError):
        next_item(reviewer=make_reviewer(), reason=queue)


@pytest.mark.django_db(transaction=True)
def test_reviewers_who_ask_at_the_same_moment_get_different_items() -> None:
    items = [make_review_item() for _ in range(4)]
    reviewers = [make_reviewer() for _ in items]
    given: list[ReviewItem | None] = []

    with (
        beside(lambda: given.append(next_item(reviewer=reviewers[0]))) as first,
        beside(lambda: given.append(next_item(reviewer=reviewers[1]))) as second,
        beside(lambda: given.append(next_item(reviewer=reviewers[2]))) as third,
    ):
        given.append(next_item(reviewer=reviewers[3]))

    assert first == second == third == []
    assert Counter(item.pk for item in given if item) == Counter(item.pk for item in items)


@pytest.mark.parametrize("reason", [Reason.AUDIT, Reason.GOLD])
def test_the_next_item_is_found_by_the_index(reason: Reason) -> None:
    owner, reviewer = make_user(improve_consent=True), make_reviewer()
    stories = Story.objects.bulk_create(Story(user=owner, status="ready") for _ in range(1000))
    items = ReviewItem.objects.bulk_create(
        ReviewItem(
            story=stories[number % 1000],
            reason=reason,
            expected={"action": "none"} if reason == Reason.GOLD else None,
            versions_digest=str(number),
            priority=number / 3000,
            status="open" if number % 2 else "done",
        )
        for number in range(3000)
    )
    Review.objects.bulk_create(
        Review(
            item=item, story=item.story, reviewer=reviewer, reason=reason, answers={}, predicted={}
        )
        for item in items[:100]
    )
    tables = (
        "reviewitem",
        "reviewitem_skipped_by",
        "review",
        "story",
        "analysis",
        "photo",
        "video",
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE accounts_user, {', '.join(f'stories_{name}' for name in tables)}")
    free = not_taken(askable_items(reviewer), reviewer)

    plan = next_of(free, reason, reviewer)[:1].explain()

    assert "Index Scan using review_next on stories_reviewitem" in plan
    assert "Sort" not in plan
    assert "SubPlan" not in plan
