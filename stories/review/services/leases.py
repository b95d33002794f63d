"""Hand items out: each to one reviewer at a time, for as long as a lease."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from stories.models import BLIND, Reason, ReviewItem
from stories.review.errors import ItemGoneError, NotAReviewerError, UnknownQueueError
from stories.review.selectors import askable_items, may_review, not_taken, open_items, unseen_by

# Audit first, because only a sample that is reviewed whole is fair; then what teaches most.
QUEUES = (
    Reason.AUDIT,
    Reason.OVERRIDDEN,
    Reason.LABEL_ERROR,
    Reason.DISAGREEMENT,
    Reason.UNCERTAIN,
)

# What the page shows of an item, read with it.
SHOWN = ("story__analysis", "story__photo", "story__video")


@atomic_with_retry
def next_item(
    *, reviewer: User, reason: str | None = None, besides: Collection[UUID] = ()
) -> ReviewItem | None:
    """Lease the next item of a queue, or of all in order of their worth; None if there is none.

    Blind checks (gold, second opinions) are mixed in at random. An item that the reviewer holds
    already comes first; pass what is on screen as `besides` to fetch the one after it.
    Raises NotAReviewerError, UnknownQueueError, the latter for blind checks, too.
    """
    if not may_review(reviewer):
        raise NotAReviewerError
    if reason not in (None, *QUEUES):
        raise UnknownQueueError
    item = _held(reviewer, reason, besides) or _free(reviewer, reason, besides)
    return lease(item, reviewer) if item else None


@atomic_with_retry
def skip_item(*, item: ReviewItem, reviewer: User) -> None:
    """Give an item back unanswered; this reviewer isn't asked again.

    Raises NotAReviewerError, and ItemGoneError if it was deleted with its story.
    """
    if not may_review(reviewer):
        raise NotAReviewerError
    if not ReviewItem.objects.select_for_update().filter(pk=item.pk).exists():
        raise ItemGoneError
    item.skipped_by.add(reviewer)
    ReviewItem.objects.filter(pk=item.pk, leased_by=reviewer).update(
        leased_by=None, leased_until=None
    )


def _held(reviewer: User, reason: str | None, besides: Collection[UUID]) -> ReviewItem | None:
    wanted = {reason, *BLIND} if reason else set(Reason.values)
    held = open_items(reviewer).filter(
        leased_by=reviewer, leased_until__gt=timezone.now(), reason__in=wanted
    )
    return held.exclude(pk__in=besides).select_related(*SHOWN).order_by("leased_until").first()


def _free(reviewer: User, reason: str | None, besides: Collection[UUID]) -> ReviewItem | None:
    chosen = [reason] if reason else [*QUEUES, *BLIND]
    free = not_taken(askable_items(reviewer), reviewer).exclude(pk__in=besides)
    for queue in (*_blind_now(), *chosen):
        if found := next_of(free, queue, reviewer).first():
            return found
    return None


def next_of(free: QuerySet[ReviewItem], queue: str, reviewer: User) -> QuerySet[ReviewItem]:
    """Those of a queue, locked as they are read; of a blind one only what would be blind."""
    items = free.filter(reason=queue)
    if queue in BLIND:
        items = items.filter(unseen_by(reviewer))
    return items.select_related(*SHOWN).select_for_update(skip_locked=True, of=("self",))


def _blind_now() -> list[Reason]:
    """The queue of blind checks to look into before the reviewer's own, usually none."""
    if random.random() >= settings.STORIES_REVIEW_BLIND_SHARE:
        return []
    return random.sample(BLIND, k=len(BLIND))


def lease(item: ReviewItem, reviewer: User) -> ReviewItem:
    """Make a locked item the reviewer's for as long as a lease."""
    item.leased_by = reviewer
    item.leased_until = timezone.now() + timedelta(seconds=settings.STORIES_REVIEW_LEASE)
    item.save(update_fields=["leased_by", "leased_until"])
    return item
