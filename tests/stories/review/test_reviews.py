"""Saving reviews, accepting lists and taking reviews back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.services import delete_account
from stories import services as story_services
from stories.models import Analysis, Reason, Review, ReviewItem, TagEvent
from stories.review.errors import (
    AlreadyReviewedError,
    ItemGoneError,
    ItemTakenError,
    NothingToUndoError,
    NotInBulkError,
    OwnItemError,
    UnknownAnswerError,
)
from stories.review.selectors import completed_reviews, gold_reviews, second_opinions
from stories.review.services import accept_items, next_item, save_review, undo_review
from stories.selectors import effective_tags, get_story
from tests.factories import make_ready_story, make_review, make_review_item, make_reviewer

pytestmark = pytest.mark.django_db

RUNNING = {"action": "running"}


def events() -> list[tuple[str, str, Any, Any]]:
    log = TagEvent.objects.order_by("created_at", "tag")
    return [(one.source, one.tag, one.before, one.after) for one in log]


def test_a_review_keeps_the_answers_and_what_the_model_said_then() -> None:
    item, reviewer = make_review_item(), make_reviewer()

    review = save_review(
        item=item,
        reviewer=reviewer,
        answers={"faces": {"0": "sad"}, "action": "running", "missed_face": True},
        seconds=1.25,
        note=" two people ",
    )
    Analysis.objects.update(action_label="cycling", versions={"emotion": "later"})

    review.refresh_from_db()
    item.refresh_from_db()
    assert item.status == ReviewItem.Status.DONE
    assert review.predicted["labels"]["faces"] == {"0": "happy"}
    assert review.predicted["labels"]["action"] == "running"
    assert review.predicted["action"]["running"] == pytest.approx(0.6)
    assert review.versions == {"emotion": "test"}
    assert (review.note, review.seconds) == ("two people", 1.25)
    assert [one.pk for one in completed_reviews()] == [review.pk]


def test_only_what_the_reviewer_sees_otherwise_goes_to_the_history() -> None:
    answers = {"faces": {"0": "sad"}, "action": "running", "missed_face": True}
    review = make_review(answers={**answers, "quadrant": "cannot_tell"})

    assert sorted(events()) == [
        ("review", "face:0", "happy", "sad"),
        ("review", "missed_face", None, True),
    ]
    assert {one.actor for one in TagEvent.objects.all()} == {review.reviewer}


def test_what_the_owner_sees_does_not_change() -> None:
    review = make_review(answers={"faces": {"0": "sad"}, "action": "dancing"})

    story = get_story(review.story.user, review.story_id)

    tags = effective_tags(story)
    assert tags
    assert tags["emotion"]["label"] == "happy"
    assert tags["action"]["label"] == "running"


def test_predictions_leave_the_owner_s_corrections_aside() -> None:
    item = make_review_item()
    before = make_review(make_review_item(item.story, reason=Reason.UNCERTAIN)).predicted
    story_services.correct_story(story=item.story, user=item.story.user, emotion="sad")

    after = make_review(item).predicted

    assert after == before


def test_a_second_review_by_the_same_person_is_refused() -> None:
    review = make_review()
    assert review.reviewer

    with pytest.raises(AlreadyReviewedError):
        save_review(item=review.item, reviewer=review.reviewer, answers=RUNNING)

    assert completed_reviews().count() == 1


def test_an_item_that_somebody_else_reviewed_or_holds_is_refused() -> None:
    reviewer = make_reviewer()
    held = make_review_item()
    next_item(reviewer=make_reviewer())

    for item in (held, make_review().item):
        with pytest.raises(ItemTakenError):
            save_review(item=item, reviewer=reviewer, answers=RUNNING)


def test_a_lease_that_ran_out_does_not_lose_the_answer() -> None:
    item, reviewer = make_review_item(), make_reviewer()
    next_item(reviewer=reviewer)
    ReviewItem.objects.update(leased_until=timezone.now() - timedelta(hours=1))

    save_review(item=item, reviewer=reviewer, answers=RUNNING)

    assert completed_reviews().count() == 1


@pytest.mark.parametrize("gone", ["story", "consent", "not ready"])
def test_a_review_of_a_story_that_is_gone_is_refused(gone: str) -> None:
    item, reviewer = make_review_item(), make_reviewer()
    story = item.story
    if gone == "story":
        story_services.delete_story(story=story)
    elif gone == "consent":
        story.user.improve_consent = False
        story.user.save()
    else:
        story.status = "queued"
        story.save()

    with pytest.raises(ItemGoneError):
        save_review(item=item, reviewer=reviewer, answers=RUNNING)

    assert not Review.objects.exists()


def test_own_photos_and_own_reviews_are_refused(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    reviewer = make_reviewer(improve_consent=True)
    own = make_review_item(make_ready_story(reviewer))
    make_review(reviewer=reviewer)

    for item in (own, ReviewItem.objects.get(reason=Reason.SECOND_OPINION)):
        with pytest.raises(OwnItemError):
            save_review(item=item, reviewer=reviewer, answers=RUNNING)


def test_an_unknown_class_saves_nothing_and_keeps_the_item_open() -> None:
    item, reviewer = make_review_item(), make_reviewer()

    with pytest.raises(UnknownAnswerError):
        save_review(item=item, reviewer=reviewer, answers={"action": "flying"})

    item.refresh_from_db()
    assert item.status == ReviewItem.Status.OPEN
    assert not Review.objects.exists()
    assert not TagEvent.objects.exists()


def test_the_database_counts_no_review_twice() -> None:
    review = make_review()
    twice = Review(
        **{name: getattr(review, name) for name in ("item", "story", "reason", "answers")},
        predicted={},
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.save()


# --- blind checks ---


def test_a_share_of_reviews_gets_a_blind_second_opinion(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    first = make_review(answers=RUNNING)
    item = ReviewItem.objects.get(first=first)

    second = make_review(item, answers={"action": "dancing"})

    assert second.blind
    assert item.inclusion == 1.0
    (found,) = second_opinions()
    assert found.item.first is not None
    assert (found.item.first.answers, found.answers) == (RUNNING, {"action": "dancing"})
    # Nobody is asked for a third.
    assert not ReviewItem.objects.filter(first=second).exists()


def test_no_second_opinion_is_asked_for_without_a_share() -> None:
    make_review()
    assert not ReviewItem.objects.filter(reason=Reason.SECOND_OPINION).exists()


def test_answers_to_gold_stand_beside_the_known_ones() -> None:
    gold = make_review_item(reason=Reason.GOLD, expected={"action": "dancing"})

    make_review(gold, answers=RUNNING)

    (review,) = gold_reviews()
    assert (review.answers, review.item.expected) == (RUNNING, {"action": "dancing"})
    assert review.blind


# --- lists ---


def test_a_list_is_accepted_as_the_model_has_it() -> None:
    items = [make_review_item(reason=Reason.UNCERTAIN) for _ in range(3)]
    make_review(items[0])

    count = accept_items(reviewer=make_reviewer(), items=items)

    assert count == 2
    accepted = Review.objects.filter(bulk=True)
    assert {one.item_id for one in accepted} == {one.pk for one in items[1:]}
    assert all(one.answers == one.predicted["labels"] for one in accepted)


def test_a_label_that_the_model_withheld_is_not_accepted_for_it() -> None:
    item = make_review_item(reason=Reason.UNCERTAIN)
    analysis = item.story.analysis
    analysis.faces[0]["label"], analysis.action_label = "uncertain", None
    analysis.save()

    accept_items(reviewer=make_reviewer(), items=[item])

    answers = Review.objects.get().answers
    assert "faces" not in answers
    assert answers["action"] == "none"


@pytest.mark.parametrize(
    ("reason", "fields"), [(Reason.AUDIT, {}), (Reason.GOLD, {"expected": RUNNING})]
)
def test_audit_and_blind_checks_are_not_accepted_in_a_list(
    reason: Reason, fields: dict[str, Any]
) -> None:
    items = [make_review_item(reason=Reason.UNCERTAIN), make_review_item(reason=reason, **fields)]

    with pytest.raises(NotInBulkError):
        accept_items(reviewer=make_reviewer(), items=items)

    assert not Review.objects.exists()


# --- undo ---


def test_an_undone_review_does_not_count_and_its_item_is_theirs_again() -> None:
    review = make_review(answers={"action": "dancing"})
    assert review.reviewer

    item = undo_review(reviewer=review.reviewer)

    assert not completed_reviews().exists()
    assert events() == [
        ("review", "action", "running", "dancing"),
        ("undo", "action", "dancing", "running"),
    ]
    assert next_item(reviewer=make_reviewer()) is None
    assert next_item(reviewer=review.reviewer) == item
    save_review(item=item, reviewer=review.reviewer, answers=RUNNING)
    assert completed_reviews().get().answers == RUNNING


def test_the_last_ten_can_be_undone_newest_first_and_no_more() -> None:
    reviewer = make_reviewer()
    reviews = [make_review(reviewer=reviewer) for _ in range(11)]

    undone = [undo_review(reviewer=reviewer).pk for _ in range(10)]

    assert undone == [one.item_id for one in reversed(reviews[1:])]
    with pytest.raises(NothingToUndoError):
        undo_review(reviewer=reviewer)


def test_only_own_and_recent_reviews_can_be_undone() -> None:
    review = make_review()
    assert review.reviewer
    with pytest.raises(NothingToUndoError):
        undo_review(reviewer=make_reviewer())

    Review.objects.update(created_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(NothingToUndoError):
        undo_review(reviewer=review.reviewer)


def test_undoing_takes_the_wish_for_a_second_opinion_back(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    review = make_review()
    assert review.reviewer

    undo_review(reviewer=review.reviewer)

    assert not ReviewItem.objects.filter(reason=Reason.SECOND_OPINION).exists()


def test_after_a_second_opinion_nothing_is_undone(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    review = make_review()
    assert review.reviewer
    make_review(ReviewItem.objects.get(first=review))

    with pytest.raises(NothingToUndoError):
        undo_review(reviewer=review.reviewer)


# --- a reviewer who leaves ---


def test_a_deleted_reviewer_leaves_reviews_and_history_without_a_name() -> None:
    review = make_review(answers={"action": "dancing"})
    assert review.reviewer

    delete_account(user=review.reviewer)

    kept = Review.objects.get()
    assert kept.reviewer is None
    assert kept.answers == {"action": "dancing"}
    event = TagEvent.objects.get()
    assert (event.actor, event.before, event.after) == (None, "running", "dancing")
    assert completed_reviews().count() == 1
