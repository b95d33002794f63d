"""Save what a reviewer answered, one item at a time or a list that is accepted as it is."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from accounts.models import User
from accounts.transactions import atomic_with_retry
from stories.models import BLIND, Reason, Review, ReviewItem, TagEvent
from stories.review.answers import CHOICES, FACE_ANSWERS, Answers, by_tag, checked
from stories.review.errors import NotInBulkError, ReviewError
from stories.review.selectors import predicted
from stories.review.services.items import digest_of
from stories.review.services.locks import lock_item
from stories.services.tag_events import append_tag_events

NOT_IN_BULK = (Reason.AUDIT, *BLIND)


@atomic_with_retry
def save_review(
    *,
    item: ReviewItem,
    reviewer: User,
    answers: Answers,
    seconds: float | None = None,
    note: str = "",
    bulk: bool = False,
) -> Review:
    """Save one review; the item is done, unless it is gold, and a share gets a second opinion.

    What the owner sees doesn't change. Answers that differ from the model's go to the history of
    the story's tags. Raises a ReviewError that says why the review is refused.
    """
    locked = lock_item(item, reviewer)
    said = predicted(locked.story.analysis)
    review = Review.objects.create(
        item=locked,
        story=locked.story,
        reviewer=reviewer,
        reason=locked.reason,
        blind=locked.blind,
        bulk=bulk,
        answers=checked(answers, faces=len(said["faces"]), caption=bool(locked.story.caption)),
        predicted=said,
        versions=locked.story.analysis.versions,
        seconds=seconds,
        note=note.strip(),
    )
    _finish(locked)
    append_tag_events(
        story=locked.story, actor=reviewer, source=TagEvent.Source.REVIEW, changes=changes(review)
    )
    _ask_second_opinion(review)
    return review


def accept_items(*, reviewer: User, items: Iterable[ReviewItem]) -> int:
    """Accept the model's tags of these items, each on its own; return how many were accepted.

    Items that are gone, taken or reviewed meanwhile are left out. Raises NotInBulkError if one of
    them is an audit or a blind check.
    """
    listed = list(items)
    if any(item.reason in NOT_IN_BULK for item in listed):
        raise NotInBulkError
    return sum(_accept(item, reviewer) for item in listed)


def changes(review: Review) -> dict[str, tuple[Any, Any]]:
    """The tags about which the reviewer and the model disagree, {tag: (model's, reviewer's)}."""
    model = by_tag(review.predicted["labels"])
    said = by_tag(review.answers)
    return {
        tag: (model.get(tag), answer)
        for tag, answer in said.items()
        if answer not in (model.get(tag), "cannot_tell")
    }


def _accept(item: ReviewItem, reviewer: User) -> bool:
    try:
        save_review(item=item, reviewer=reviewer, answers=_as_predicted(item), bulk=True)
    except ReviewError:
        return False
    return True


def _as_predicted(item: ReviewItem) -> dict[str, Any]:
    """The model's labels as answers; "uncertain" isn't one."""
    labels = predicted(item.story.analysis)["labels"]
    faces = {at: label for at, label in labels.get("faces", {}).items() if label in FACE_ANSWERS}
    return {name: labels[name] for name in CHOICES if name in labels} | {"faces": faces}


def _finish(item: ReviewItem) -> None:
    if item.reason != Reason.GOLD:
        item.status = ReviewItem.Status.DONE
    item.leased_by = item.leased_until = None
    item.save(update_fields=["status", "leased_by", "leased_until"])


def _ask_second_opinion(review: Review) -> None:
    share = settings.STORIES_REVIEW_SECOND_SHARE
    if review.blind or review.bulk or random.random() >= share:
        return
    ReviewItem.objects.create(
        story=review.story,
        reason=Reason.SECOND_OPINION,
        first=review,
        priority=random.random(),
        inclusion=share,
        versions=review.versions,
        versions_digest=digest_of(review.versions),
    )
