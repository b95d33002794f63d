"""Take a review back, or that an item was skipped."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from stories.models import Review, ReviewItem, TagEvent
from stories.review.errors import NothingToUndoError
from stories.review.selectors import undoable
from stories.review.services.leases import lease
from stories.review.services.locks import lock_consenting_story, lock_item
from stories.review.services.reviews import changes
from stories.services.tag_events import append_tag_events


@atomic_with_retry
def undo_review(*, reviewer: User) -> ReviewItem:
    """Undo the reviewer's latest review and lease its item to them again.

    Up to the last ten, for STORIES_REVIEW_UNDO_SECONDS. Raises NothingToUndoError, also once
    somebody gave a second opinion, and ItemGoneError if the photo is gone.
    """
    latest = next(iter(undoable(reviewer)), None)
    since = timezone.now() - timedelta(seconds=settings.STORIES_REVIEW_UNDO_SECONDS)
    if latest is None or latest.created_at < since:
        raise NothingToUndoError
    lock_consenting_story(latest.item)
    review, item = _lock(latest)
    review.undone_at = timezone.now()
    review.save(update_fields=["undone_at"])
    back = {tag: (after, before) for tag, (before, after) in changes(review).items()}
    append_tag_events(story=review.story, actor=reviewer, source=TagEvent.Source.UNDO, changes=back)
    item.status = ReviewItem.Status.OPEN
    item.save(update_fields=["status"])
    return lease(item, reviewer)


@atomic_with_retry
def unskip_item(*, item: ReviewItem, reviewer: User) -> ReviewItem:
    """Lease an item to the reviewer who skipped it. Raises a ReviewError if it can't be had."""
    locked = lock_item(item, reviewer)
    locked.skipped_by.remove(reviewer)
    return lease(locked, reviewer)


def _lock(latest: Review) -> tuple[Review, ReviewItem]:
    """Lock what is undone, and remove the request for a second opinion on it."""
    item = ReviewItem.objects.select_for_update().get(pk=latest.item_id)
    review = Review.objects.select_for_update().filter(pk=latest.pk, undone_at=None).first()
    second = ReviewItem.objects.select_for_update().filter(first=latest).first()
    if review is None or (second and second.status != ReviewItem.Status.OPEN):
        raise NothingToUndoError
    if second:
        second.delete()
    return review, item
