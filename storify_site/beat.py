"""The scheduler of periodic tasks, which reports its progress."""

from __future__ import annotations

import logging
from typing import Any

import redis
from celery.beat import PersistentScheduler
from django.core.cache import cache
from django.utils import timezone

_KEY = "beat:last_tick"

logger = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):  # type: ignore[misc]
    """Celery's scheduler; every tick is visible to `/readyz` and, in a worker, to its watchdog."""

    vitals: Any = None  # storify_site.watchdog.Vitals

    def tick(self, *args: Any, **kwargs: Any) -> float:
        delay: float = super().tick(*args, **kwargs)
        if self.vitals is not None:
            self.vitals.progress += 1
        try:
            cache.set(_KEY, timezone.now().isoformat(timespec="seconds"), None)
        except redis.RedisError as error:
            logger.debug("could not report a tick: %s", type(error).__name__)
        return delay


def last_tick() -> str | None:
    """When the scheduler last ticked, which it does every few seconds; None if that is unknown."""
    try:
        tick: str | None = cache.get(_KEY)
    except redis.RedisError:
        return None
    return tick
