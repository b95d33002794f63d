"""The locks of a review, in the order of recommender.locks."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from recommender.locks import lock_person
from stories.models import Review, ReviewItem, Story
from stories.review.errors import (
    AlreadyReviewedError,
    ItemGoneError,
    ItemTakenError,
    NotAReviewerError,
    OwnItemError,
    SeenBeforeError,
)
from stories.review.selectors import may_review, unseen_by


def lock_item(item: ReviewItem, reviewer: User) -> ReviewItem:
    """Lock an item that the reviewer may answer now, with its story's owner and the story.

    Raises NotAReviewerError, ItemGoneError, OwnItemError, AlreadyReviewedError or ItemTakenError.
    """
    if not may_review(reviewer):
        raise NotAReviewerError
    lock_consenting_story(item)
    locked = (
        ReviewItem.objects.select_for_update(of=("self",))
        .select_related("story__analysis", "first")
        .filter(pk=item.pk)
        .first()
    )
    if locked is None or locked.status == ReviewItem.Status.WITHDRAWN:
        raise ItemGoneError
    _check(locked, reviewer)
    return locked


def lock_consenting_story(item: ReviewItem) -> None:
    """Lock the item's story and its owner. Raises ItemGoneError without story or consent."""
    story = Story.objects.filter(pk=item.story_id).only("user_id").first()
    owner = lock_person(story.user_id) if story else None
    stories = Story.objects.select_for_update(no_key=True).filter(
        pk=item.story_id, status=Story.Status.READY
    )
    if owner is None or not owner.improve_consent or not stories.exists():
        raise ItemGoneError


def _check(item: ReviewItem, reviewer: User) -> None:
    if item.story.user_id == reviewer.pk:
        raise OwnItemError("photos")
    if item.first and item.first.reviewer_id == reviewer.pk:
        raise OwnItemError("reviews")
    if Review.objects.filter(item=item, reviewer=reviewer, undone_at=None).exists():
        raise AlreadyReviewedError
    if item.blind and not ReviewItem.objects.filter(unseen_by(reviewer), pk=item.pk).exists():
        raise SeenBeforeError
    leased = item.leased_by_id not in (None, reviewer.pk) and (
        item.leased_until is not None and item.leased_until > timezone.now()
    )
    if leased or item.status == ReviewItem.Status.DONE:
        raise ItemTakenError
