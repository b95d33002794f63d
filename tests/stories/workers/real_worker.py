"""The real worker that tests share, from the first that needs it to the end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from stories.services.job_publisher import waiting_messages
from stories.workers import model_status
from storify_site.celery import app

NODE = "tests@storify"
QUEUES = ("inference", "default", "long")
RUNNING = pytest.StashKey[bool]()
START_SECONDS, IDLE_SECONDS = 240, 60


def wait_until_ready(is_dead: Callable[[], bool]) -> bool:
    """Wait until the worker answers and has loaded its models; False if it doesn't."""
    deadline = time.monotonic() + START_SECONDS
    while not is_dead() and time.monotonic() < deadline:
        if app.control.ping(destination=[NODE], timeout=0.5) and _has_models():
            return True
    return False


def _has_models() -> bool:
    return model_status.read().state == "ready"


def wait_until_idle() -> None:
    """Wait until nothing is queued or running: truncating tables that a task uses is a deadlock."""
    deadline = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < deadline:
        if not waiting_messages(*QUEUES) and not _tasks():
            return


def _tasks() -> list[object]:
    """The tasks that the worker runs or has taken."""
    ask = app.control.inspect(destination=[NODE], timeout=5, limit=1)
    replies = (ask.reserved() or {}, ask.active() or {})
    return [task for reply in replies for tasks in reply.values() for task in tasks]
