"""Queueing of stories: enqueue, retry and recover them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from stories.errors import StoryNotFailedError
from stories.models import Story
from stories.services import job_publisher

DELAYED = "Your story is saved. Its analysis is delayed and will start automatically."
GAVE_UP = "The analysis failed several times. You can try again."
# A message may take this long from the broker to the worker that claims the story.
LOST_AFTER = timedelta(seconds=30)
# The request that stored a story publishes it within this time.
UNSENT_AFTER = timedelta(seconds=10)
BATCH = 500


def stale_before() -> object:
    """The time of the last heartbeat before which a worker counts as dead."""
    return timezone.now() - timedelta(seconds=settings.STORIES_STALE_AFTER)


def enqueue_story(*, story_id: UUID) -> bool:
    """Publish a queued story; if the broker is down, note it in the story and return False."""
    waiting = Story.objects.filter(pk=story_id, status=Story.Status.QUEUED)
    try:
        job_publisher.publish_analysis(story_id)
    except job_publisher.BrokerUnavailableError:
        waiting.update(error=DELAYED)
        return False
    waiting.update(enqueued_at=timezone.now(), error="")
    return True


@transaction.atomic
def retry_story(*, story: Story) -> Story:
    """Queue a failed story again. Raises StoryNotFailedError for any other."""
    queued = Story.objects.filter(pk=story.pk, status=Story.Status.FAILED).update(
        status=Story.Status.QUEUED,
        error="",
        stage="",
        failed_stage="",
        attempts=0,
        claim=None,
        enqueued_at=None,
    )
    if not queued:
        raise StoryNotFailedError
    story.refresh_from_db()
    transaction.on_commit(lambda: enqueue_story(story_id=story.pk))
    return story


def recover_stale_stories() -> int:
    """Requeue stories of dead workers and lost messages; return how many were published."""
    stale = Story.objects.filter(status=Story.Status.ANALYSING, claimed_at__lt=stale_before())
    _release(stale, enqueued_at=None)
    sent = 0
    for story_id in [*_unsent(), *_lost()]:
        if not enqueue_story(story_id=story_id):
            break
        sent += 1
    return sent


def release_story(*, story_id: UUID) -> None:
    """Release the claim of a dead worker; its message has been requeued already."""
    held = Story.objects.filter(pk=story_id, status=Story.Status.ANALYSING)
    _release(held, enqueued_at=timezone.now())


def _unsent() -> list[UUID]:
    """Stories that were never published, oldest first."""
    before = timezone.now() - UNSENT_AFTER
    waiting = _waiting().filter(enqueued_at=None, created_at__lt=before)
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:BATCH])


def _lost() -> list[UUID]:
    """Stories whose messages seem to be lost.

    The broker delivers messages in order. If it has fewer messages than there are queued stories,
    those published first have lost theirs. A message that a worker has taken, but not yet claimed a
    story for, is also published again; the claim prevents a second analysis.
    """
    try:
        messages = job_publisher.waiting_messages()
    except job_publisher.BrokerUnavailableError:
        return []
    waiting = _waiting().filter(enqueued_at__isnull=False)
    missing = max(0, min(waiting.count() - messages, BATCH))
    late = waiting.filter(enqueued_at__lt=timezone.now() - LOST_AFTER).order_by("enqueued_at")
    return list(late.values_list("pk", flat=True)[:missing])


def _waiting() -> QuerySet[Story]:
    return Story.objects.filter(status=Story.Status.QUEUED)


def _release(held: QuerySet[Story], *, enqueued_at: datetime | None) -> None:
    """Requeue a story, or fail it if its worker died too often."""
    held.filter(attempts__gte=settings.STORIES_MAX_ATTEMPTS).update(
        status=Story.Status.FAILED, error=GAVE_UP, stage="", failed_stage=F("stage"), claim=None
    )
    held.update(status=Story.Status.QUEUED, stage="", claim=None, enqueued_at=enqueued_at)
