"""Celery base class for jobs that may take hours."""

from __future__ import annotations

from typing import Any

from celery import Task
from django.db import connection

RETRY_SECONDS = 60
_LOCK_KEY = 0x53746F73  # an advisory lock key that nothing else uses


class LongJob(Task):  # type: ignore[misc]
    """A job of the queue `long`. Only one runs at a time, on all machines together.

    The others are tried again later, so that a worker with two processes always has one for mail
    and other short tasks. Jobs aren't redelivered while they run.
    """

    soft_time_limit = 3 * 3600
    time_limit = 3 * 3600 + 60
    acks_late = False
    max_retries = None
    ignore_result = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not _ask("pg_try_advisory_lock"):
            raise self.retry(countdown=RETRY_SECONDS)
        try:
            return self.run(*args, **kwargs)
        finally:
            _ask("pg_advisory_unlock")


def _ask(function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_LOCK_KEY])
        return bool(cursor.fetchone()[0])
