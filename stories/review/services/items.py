"""Fill the review queues with stories of people who agreed."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ml.labels import UNCERTAIN
from ml.mood.fusion import CONTRADICTS
from ml.review.priority import uncertainty
from recommender.locks import lock_person
from stories.models import Analysis, Reason, Review, ReviewItem, Story
from stories.review.answers import Answers, checked
from stories.review.selectors import reviewable_stories, second_opinions
from stories.selectors import as_modelled, contradiction

# One minus the margin beyond which a prediction is worth a look: first and second within 0.2.
UNCERTAIN_FROM = 0.8
BATCH = 500


def digest_of(versions: Mapping[str, str]) -> str:
    """A short digest of model versions; an item is made once for each."""
    return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]


def queue_story(*, analysis: Analysis) -> list[ReviewItem]:
    """Put an analysed story into the queues where it belongs, each only once per model versions.

    The caller has made sure, under the person's lock, that they agreed.
    """
    return add_items(_items(analysis))


def queue_overridden(*, story: Story) -> list[ReviewItem]:
    """Queue a story whose owner changed a tag; the caller holds the person's lock."""
    if not story.user.improve_consent:
        return []
    return add_items([new_item(story.analysis, Reason.OVERRIDDEN, random.random())])


def backfill_items(*, user_id: int) -> int:
    """Queue the earlier stories of somebody who agreed; return how many stories were looked at.

    Commits after every batch. Safe to repeat, and does nothing once they no longer agree.
    """
    keys = reviewable_stories().filter(user=user_id).order_by("-created_at")
    waiting, done = list(keys.values_list("pk", flat=True)), 0
    for start in range(0, len(waiting), BATCH):
        done += _backfill(user_id, waiting[start : start + BATCH])
    return done


def backfill_recent(*, days: int = 2) -> int:
    """Queue the earlier stories of those who agreed lately, whose message may have been lost."""
    since = timezone.now() - timedelta(days=days)
    people = User.objects.filter(improve_consent=True, improve_consent_at__gte=since)
    return sum(backfill_items(user_id=pk) for pk in people.values_list("pk", flat=True))


def recount_disagreement() -> int:
    """Bring items whose priority is in standard deviations to today's measure; return how many.

    The measure has been in [0, 1] since November 2026: older ones would come first for ever.
    """
    old = ReviewItem.objects.filter(
        reason=Reason.DISAGREEMENT, status=ReviewItem.Status.OPEN, priority__gt=1
    )
    items = list(old.filter(story__analysis__isnull=False).select_related("story__analysis"))
    for item in items:
        item.priority = contradiction(as_modelled(item.story.analysis))
    ReviewItem.objects.bulk_update(items, ["priority"], batch_size=BATCH)
    return len(items)


@transaction.atomic
def add_gold(*, story: Story, expected: Answers) -> ReviewItem:
    """Make a story a blind check with a known answer, or replace the answer that was known.

    Raises UnknownAnswerError or NoAnswerError for an answer that no reviewer could give.
    """
    analysis = story.analysis
    known = checked(expected, faces=len(analysis.faces), caption=bool(story.caption))
    item, _ = ReviewItem.objects.update_or_create(
        story=story,
        reason=Reason.GOLD,
        versions_digest=digest_of(analysis.versions),
        defaults={
            "expected": known,
            "versions": analysis.versions,
            "priority": random.random(),
            "status": ReviewItem.Status.OPEN,
        },
    )
    return item


def add_agreed_as_gold(*, limit: int = 100) -> int:
    """Make gold of what two reviewers answered alike, one of them blind; return how many."""
    agreed = [review for review in second_opinions()[: limit * 10] if _agreed(review)]
    stories = reviewable_stories().exclude(review_items__reason=Reason.GOLD)
    known = stories.select_related("analysis").in_bulk([one.story_id for one in agreed[:limit]])
    for review in agreed[:limit]:
        if story := known.get(review.story_id):
            add_gold(story=story, expected=review.answers)
    return len(known)


def _agreed(review: Review) -> bool:
    """Whether both said the same; nothing is left of answers about faces that were erased."""
    first = review.item.first
    return first is not None and first.answers == review.answers != {}


@transaction.atomic
def _backfill(user_id: int, story_ids: list[UUID]) -> int:
    person = lock_person(user_id)
    if person is None or not person.improve_consent:
        return 0
    analyses = Analysis.objects.filter(story__in=story_ids)
    add_items(item for analysis in analyses for item in _items(analysis))
    # Whatever was drawn with a smaller share before is now one of those drawn with this one.
    share = settings.STORIES_REVIEW_AUDIT_SHARE
    audit = ReviewItem.objects.filter(story__in=story_ids, reason=Reason.AUDIT)
    audit.filter(inclusion__lt=share).update(inclusion=share)
    return len(story_ids)


def _items(analysis: Analysis) -> Iterator[ReviewItem]:
    share = settings.STORIES_REVIEW_AUDIT_SHARE
    if analysis.audit_draw < share:
        yield new_item(analysis, Reason.AUDIT, analysis.audit_draw / share, inclusion=share)
    unsure = max(uncertainty(analysis.emotion), uncertainty(analysis.action))
    if unsure >= UNCERTAIN_FROM or analysis.emotion_label == UNCERTAIN:
        yield new_item(analysis, Reason.UNCERTAIN, unsure)
    if (apart := contradiction(as_modelled(analysis))) >= CONTRADICTS:
        yield new_item(analysis, Reason.DISAGREEMENT, apart)
    if analysis.corrected_emotion or analysis.corrected_action or analysis.mood_set_by_hand:
        yield new_item(analysis, Reason.OVERRIDDEN, random.random())


def new_item(analysis: Analysis, reason: Reason, priority: float, **fields: Any) -> ReviewItem:
    """An item that isn't stored yet."""
    return ReviewItem(
        story_id=analysis.story_id,
        reason=reason,
        priority=priority,
        versions=analysis.versions,
        versions_digest=digest_of(analysis.versions),
        **fields,
    )


def add_items(items: Iterable[ReviewItem]) -> list[ReviewItem]:
    """Store those that aren't in their queue yet."""
    return ReviewItem.objects.bulk_create(items, ignore_conflicts=True, batch_size=BATCH)
