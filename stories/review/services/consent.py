"""What follows from agreeing to reviews, withdrawing that, and no longer letting faces be read."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from stories.models import Reason, Review, ReviewItem, ShadowDifference
from stories.services import job_publisher

logger = logging.getLogger(__name__)


def share_stories(user: User) -> None:
    """Queue the person's stories if they agreed just now, or else withdraw them.

    The caller has locked the person's row and changed `improve_consent`.
    """
    if user.improve_consent:
        transaction.on_commit(lambda: _send_backfill(user.pk))
    else:
        withdraw_items(user=user)


@transaction.atomic
def withdraw_items(*, user: User) -> int:
    """Take this person's photos out of every queue at once; return how many items that were.

    What was reviewed stays as a figure, without the photo.
    """
    theirs = ReviewItem.objects.filter(story__user=user, status=ReviewItem.Status.OPEN)
    reviewed = theirs.filter(Exists(Review.objects.filter(item=OuterRef("pk"))))
    kept = reviewed.update(status=ReviewItem.Status.WITHDRAWN, leased_by=None, leased_until=None)
    _, deleted = theirs.delete()
    ShadowDifference.objects.filter(story__user=user).delete()
    return kept + deleted.get(ReviewItem._meta.label, 0)


@transaction.atomic
def erase_reviewed_faces(user: User) -> None:
    """Remove what was read from the person's faces, by models and reviewers, from reviews.

    An answer about a face that looked like a slip waits no longer for another look.
    """
    reviews = Review.objects.filter(story__user=user)
    for review in reviews.select_for_update(of=("self",)):
        review.answers = _without_faces(review.answers)
        review.predicted = _without_faces(review.predicted)
        review.save(update_fields=["answers", "predicted"])
    gold = ReviewItem.objects.filter(story__user=user, expected__isnull=False)
    for item in gold.select_for_update(of=("self",)):
        item.expected = _without_faces(item.expected)
        item.save(update_fields=["expected"])
    doubtful = ReviewItem.objects.filter(
        story__user=user, reason=Reason.LABEL_ERROR, status=ReviewItem.Status.OPEN
    )
    for item in doubtful.exclude(doubts=[]).select_for_update(of=("self",)):
        item.doubts = [tag for tag in item.doubts if not tag.startswith("face:")]
        if item.doubts:
            item.save(update_fields=["doubts"])
        else:
            item.delete()


def _without_faces(stored: dict[str, Any]) -> dict[str, Any]:
    about = ("faces", "missed_face", "no_face", "emotion", "emotion_label", "mood", "quadrant")
    kept = {name: value for name, value in stored.items() if name not in about}
    return kept | ({"labels": _without_faces(kept["labels"])} if "labels" in kept else {})


def _send_backfill(user_id: int) -> None:
    try:
        job_publisher.publish_backfill(user_id)
    except job_publisher.BrokerUnavailableError:
        logger.warning("the broker is down; the periodic task will fill the review queues")
