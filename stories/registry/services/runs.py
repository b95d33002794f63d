"""The training of a model that waits or runs: how far it is, and who cancelled it.

It's in the cache, because it says nothing once the training has ended: the log of models does.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from stories.registry.selectors import CANCELLED, TRAINING, TrainingRun, training_run

WAITING_SECONDS = 24 * 3600
ALIVE_SECONDS = 60
"""After this long without a sign of life, the training has ended with its worker."""

_LOGGED = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ (.+)")
"""A line of the training's own log; TensorFlow's messages look different."""


def start_waiting(name: str) -> datetime | None:
    """Note that a training is queued, and return since when; None if one waits or runs already."""
    run = TrainingRun(timezone.now())
    return run.since if cache.add(TRAINING.format(name), run.to_json(), WAITING_SECONDS) else None


def note_progress(name: str, since: datetime, line: str = "") -> None:
    """Note that it's alive and, if the line is of its log, how far it is.

    Without the cache it isn't noted, and the training goes on.
    """
    with suppress(RedisError):
        _note(name, since, line)


def _note(name: str, since: datetime, line: str) -> None:
    run = training_run(name)
    said = _LOGGED.fullmatch(line)
    if run and run.since == since and run.progress and not said:
        # Only the time: another thread may just have written how far it is.
        cache.touch(TRAINING.format(name), ALIVE_SECONDS)
        return
    progress = said[1] if said else "starting"
    cache.set(TRAINING.format(name), TrainingRun(since, progress).to_json(), ALIVE_SECONDS)


def cancel_run(name: str, who: str) -> bool:
    """Ask a training to end; False if there is none. One that waits makes room for another."""
    run = training_run(name)
    if run is None:
        return False
    cache.set(CANCELLED.format(name, run.since.isoformat()), who, WAITING_SECONDS)
    if not run.progress:
        cache.delete(TRAINING.format(name))
    return True


def cancelled_by(name: str, since: datetime) -> str:
    """Who cancelled it; empty if nobody did, or the cache is away."""
    with suppress(RedisError):
        return str(cache.get(CANCELLED.format(name, since.isoformat()), ""))
    return ""


def end_run(name: str, since: datetime) -> None:
    """Forget this training, and not one that was queued after it had been cancelled."""
    with suppress(RedisError):
        cache.delete(CANCELLED.format(name, since.isoformat()))
        run = training_run(name)
        if run and run.since == since:
            cache.delete(TRAINING.format(name))
