"""The training of a model that waits or runs: how far it is, and who cancelled it.

It's in the cache, because it says nothing once the training has ended: the log of models does.
"""

from __future__ import annotations

import re
from contextlib import suppress

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from stories.registry.selectors import CANCELLED, TRAINING, TrainingRun, training_run

WAITING_SECONDS = 24 * 3600
ALIVE_SECONDS = 60
"""After this long without a sign of life, the training has ended with its worker."""

_LOGGED = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ (.+)")
"""A line of the training's own log; TensorFlow's messages look different."""


def start_waiting(name: str) -> bool:
    """Note that a training is queued; False if one waits or runs already."""
    run = TrainingRun(timezone.now()).to_json()
    if not cache.add(TRAINING.format(name), run, WAITING_SECONDS):
        return False
    cache.delete(CANCELLED.format(name))
    return True


def note_progress(name: str, line: str = "") -> None:
    """Note that it's alive and, if the line is of its log, how far it is.

    Without the cache it isn't noted, and the training goes on.
    """
    with suppress(RedisError):
        _note(name, line)


def _note(name: str, line: str) -> None:
    run = training_run(name) or TrainingRun(timezone.now())
    said = _LOGGED.fullmatch(line)
    if run.progress and not said:
        # Only the time: another thread may just have written how far it is.
        cache.touch(TRAINING.format(name), ALIVE_SECONDS)
        return
    progress = said[1] if said else "starting"
    cache.set(TRAINING.format(name), TrainingRun(run.since, progress).to_json(), ALIVE_SECONDS)


def cancel_run(name: str, who: str) -> bool:
    """Ask a training to end; False if there is none."""
    cache.set(CANCELLED.format(name), who, WAITING_SECONDS)
    return training_run(name) is not None


def cancelled_by(name: str) -> str:
    """Who cancelled it; empty if nobody did, or the cache is away."""
    with suppress(RedisError):
        return str(cache.get(CANCELLED.format(name), ""))
    return ""


def end_run(name: str) -> None:
    with suppress(RedisError):
        cache.delete_many([TRAINING.format(name), CANCELLED.format(name)])
