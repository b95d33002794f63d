"""Which stories wait for a worker, and how they get (back) into the queue."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from stories import queue
from stories.errors import StoryNotFailedError
from stories.models import Story

DELAYED = "Saved. Analysis is delayed, it will start by itself as soon as possible."
GAVE_UP = "The analysis stopped several times before it was done. You can try it again."
# A message that the broker took this long ago and that nobody worked on is taken for lost.
LOST_AFTER = timedelta(minutes=15)
# Time for the request that stored the story to send it off itself.
UNSENT_AFTER = timedelta(seconds=10)
BATCH = 500


def stale_before() -> object:
    """A worker that has not been heard of since then is taken for dead."""
    return timezone.now() - timedelta(seconds=settings.STORIES_STALE_AFTER)


def enqueue_story(*, story_id: UUID) -> bool:
    """Hand a queued story to the broker; False, and said in the story, when it is down."""
    waiting = Story.objects.filter(pk=story_id, status=Story.Status.QUEUED)
    try:
        queue.publish_analysis(story_id)
    except queue.BrokerUnavailableError:
        waiting.update(error=DELAYED)
        return False
    waiting.update(enqueued_at=timezone.now(), error="")
    return True


@transaction.atomic
def retry_story(*, story: Story) -> Story:
    """Queue a failed story again. Raises StoryNotFailedError for any other."""
    queued = Story.objects.filter(pk=story.pk, status=Story.Status.FAILED).update(
        status=Story.Status.QUEUED, error="", stage="", attempts=0, claim=None, enqueued_at=None
    )
    if not queued:
        raise StoryNotFailedError
    story.refresh_from_db()
    transaction.on_commit(lambda: enqueue_story(story_id=story.pk))
    return story


def recover_stale_stories() -> int:
    """Queue again what a dead worker held or the broker never took; how many were sent."""
    _release_stale()
    now, sent = timezone.now(), 0
    unsent = Q(enqueued_at=None, created_at__lt=now - UNSENT_AFTER)
    lost = Q(enqueued_at__lt=now - LOST_AFTER)
    waiting = Story.objects.filter(unsent | lost, status=Story.Status.QUEUED)
    for story_id in waiting.order_by("created_at").values_list("pk", flat=True)[:BATCH]:
        if not enqueue_story(story_id=story_id):
            break
        sent += 1
    return sent


def _release_stale() -> None:
    stale = Story.objects.filter(status=Story.Status.ANALYSING, claimed_at__lt=stale_before())
    stale.filter(attempts__gte=settings.STORIES_MAX_ATTEMPTS).update(
        status=Story.Status.FAILED, error=GAVE_UP, stage="", claim=None
    )
    stale.update(status=Story.Status.QUEUED, stage="", claim=None, enqueued_at=None)
