"""Celery tasks: each takes ids, calls one service and returns if the row is gone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.long_jobs import LongJob
from stories import services
from stories.registry import services as registry
from stories.review import services as review
from stories.saving import services as saving
from stories.saving.work import carry_out_save as _carry_out_save


# The message is acknowledged when the work is done. If only the pool process dies before that, its
# main process requeues the message and releases the claim at once; if the whole worker dies, the
# claim becomes stale.
@shared_task(  # type: ignore[untyped-decorator]
    bind=True,
    acks_late=True,
    max_retries=None,
    ignore_result=True,
    Request="stories.workers.lost_workers:AnalysisRequest",
)
def analyse_story(self: Any, story_id: str) -> None:
    try:
        services.analyse_story(story_id=UUID(story_id))
    except services.AnalysisInterruptedError as interrupted:
        raise self.retry(exc=interrupted, countdown=interrupted.retry_in) from interrupted


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def refresh_outdated() -> int:
    """Refresh one batch; the next is queued behind other jobs, so that they don't wait."""
    done = services.refresh_outdated()
    if done:
        services.send_refresh()
    return done


@shared_task(base=LongJob)  # type: ignore[untyped-decorator]
def sweep_media() -> None:
    services.sweep_media()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def recover_stale_stories() -> int:
    services.send_waiting_videos()
    return services.recover_stale_stories()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def backfill_reviews(user_id: int) -> int:
    return review.backfill_items(user_id=user_id)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def fill_review_queues() -> None:
    """Queue likely label errors and new gold, and the stories whose message was lost."""
    review.recount_disagreement()
    review.queue_label_errors()
    review.add_agreed_as_gold()
    review.backfill_recent()


# The message says only that there is work; what waits is in the database, and is claimed there.
@shared_task(  # type: ignore[untyped-decorator]
    ignore_result=True, soft_time_limit=3600, time_limit=3660, acks_late=False, expires=60
)
def transcode_next_video() -> bool:
    """Transcode one video and ask for the next."""
    done = services.transcode_next_video()
    if done:
        services.send_waiting_videos()
    return done


@shared_task(base=LongJob)  # type: ignore[untyped-decorator]
def train_candidate(name: str, user_id: int, since: str) -> None:
    """Train on the current reviews; the log of models says what came of it."""
    queued_at = datetime.fromisoformat(since)
    registry.train_from_reviews(name=name, user_id=user_id, since=queued_at)


# The row says whether it's done, so a message that is lost or comes twice costs nothing.
@shared_task(ignore_result=True, acks_late=False)  # type: ignore[untyped-decorator]
def carry_out_save(save_id: str) -> None:
    _carry_out_save(save_id=UUID(save_id))


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def send_due_saves() -> int:
    return saving.send_due_saves()
