"""Loading status of the processes that run the models; each reports it every second.

Reports expire in the cache, so that a process that died or hangs soon isn't counted. Analysis
doesn't depend on them: without a cache, the state is unknown.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

import redis
from django.core.cache import cache
from django.utils import timezone

EXPIRES = 5
"""Seconds without a report after which a process is not counted."""

REMEMBERED = 3600
"""Seconds for which `/readyz` reports a restart."""

RUNNING = 60
"""Seconds for which a worker counts as running after it was last marked so."""

_NAMES, _RESTART = "models", "models:restart"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelStatus:
    """The most advanced process: "ready", "warming" with the parts loaded so far, or "away".

    "unknown" if the cache doesn't answer.
    """

    state: str
    loaded: int = 0
    of: int = 0
    processes: int = 0

    @property
    def is_warming(self) -> bool:
        return self.state == "warming"


def publish(name: str, loaded: int, of: int) -> None:
    """Report how many of `of` parts the process `name` has loaded; all of them means ready."""
    try:
        cache.set(_key(name), (loaded, of), EXPIRES)
        names = cache.get(_NAMES, [])
        if name not in names:
            alive = cache.get_many([_key(other) for other in names])
            living = [other for other in names if _key(other) in alive]
            cache.set(_NAMES, [*living, name], None)
    except redis.RedisError as error:
        logger.debug("could not report the status of the models: %s", type(error).__name__)


def withdraw(name: str) -> None:
    """Stop counting a process that has died."""
    try:
        cache.delete(_key(name))
    except redis.RedisError as error:
        logger.debug("could not report that a process died: %s", type(error).__name__)


def read() -> ModelStatus:
    """The status of the models, over all processes that reported recently."""
    try:
        names = cache.get(_NAMES, [])
        reports = list(cache.get_many([_key(name) for name in names]).values())
    except redis.RedisError:
        return ModelStatus("unknown")
    if not reports:
        return ModelStatus("away")
    loaded, of = max(reports, key=lambda report: report[0] / report[1])
    return ModelStatus("ready" if loaded == of else "warming", loaded, of, len(reports))


def note_restart(name: str, why: str) -> None:
    """Log that a process was restarted, and report it in `/readyz`."""
    logger.error("%s is restarted: %s", name, why)
    try:
        cache.set(_RESTART, {"process": name, "why": why, "at": _now()}, REMEMBERED)
        cache.delete(_running_key(name))
    except redis.RedisError:
        logger.debug("could not report the restart of %s", name)


def mark_running(name: str) -> None:
    """Mark the worker as running; its successor takes a mark that is left for a crash."""
    try:
        cache.set(_running_key(name), True, RUNNING)
    except redis.RedisError:
        logger.debug("could not note that %s runs", name)


def unmark_running(name: str) -> None:
    """Remove the mark of a worker that stops normally."""
    try:
        cache.delete(_running_key(name))
    except redis.RedisError:
        logger.debug("could not note that %s ends", name)


def was_running(name: str) -> bool:
    """Whether a worker of this name has left its mark."""
    try:
        return bool(cache.get(_running_key(name)))
    except redis.RedisError:
        return False


def summary() -> dict[str, Any]:
    """The status of the models for `/readyz`."""
    status = asdict(read())
    try:
        restart = cache.get(_RESTART)
    except redis.RedisError:
        restart = None
    return {**status, **({"last_restart": restart} if restart else {})}


def _key(name: str) -> str:
    return f"{_NAMES}:{name}"


def _running_key(name: str) -> str:
    return f"{_NAMES}:running:{name}"


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds")
