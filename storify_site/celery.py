"""Celery app with four queues: `inference` for the models, `video` for encoding, `long` for
jobs that may take hours, `default` for everything else.
"""

import gc
import os
from typing import Any

from billiard import current_process
from celery import Celery, platforms
from celery.signals import (
    beat_embedded_init,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")

app = Celery("storify")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_watch: Any = None  # this process's storify_site.watchdog.MainWatch or PoolWatch
_vitals: Any = None


def _has_models() -> bool:
    """Whether this worker runs analyses; others never load TensorFlow."""
    return "inference" in app.amqp.queues.consume_from and os.environ.get("STORIFY_WARM") != "0"


@worker_init.connect  # type: ignore[untyped-decorator]
def watch_pool(sender: Any, **_: Any) -> None:
    """Start the watchdog and import what every pool process needs, before the fork."""
    global _watch, _vitals  # noqa: PLW0603 - one watch per process, shared by the signal handlers
    from storify_site import watchdog

    _vitals = watchdog.shared_vitals(sender.concurrency)
    queue = watchdog.QueueWatch(_waiting)
    _watch = watchdog.MainWatch(sender.hostname, _vitals, queue)
    watchdog.every_second(_watch.check)
    if _has_models():
        from ml import warming

        _watch.importing = len(warming.PARTS)
        warming.import_runtimes()
        gc.freeze()  # keeps memory shared after the fork: garbage collection would write to it
        _watch.importing = 0


@worker_ready.connect  # type: ignore[untyped-decorator]
def watch_beat(sender: Any, **_: Any) -> None:
    if sender.controller.beat:
        _watch.beat = sender.controller.beat


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def expect_exits(**_: Any) -> None:
    """Runs in a signal handler, so it only sets a flag."""
    if _watch is not None:
        _watch.is_stopping = True


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def note_shutdown(sender: Any, **_: Any) -> None:
    from stories.workers import model_status

    model_status.unmark_running(sender.hostname)


@beat_embedded_init.connect  # type: ignore[untyped-decorator]
def end_with_the_worker(sender: Any, **_: Any) -> None:
    """Kill beat with its worker; otherwise a restarted worker would schedule everything twice."""
    platforms.set_pdeathsig("SIGKILL")
    sender.scheduler.vitals = _vitals[-1]


@worker_process_init.connect  # type: ignore[untyped-decorator]
def warm_models(sender: str, **_: Any) -> None:
    """Start the watchdog and load the models, after the fork and before the first photo."""
    global _watch  # noqa: PLW0603
    from storify_site import watchdog

    slot = getattr(current_process(), "index", 0)
    _watch = watchdog.PoolWatch(sender, _vitals, slot)
    watchdog.every_second(_watch.check)
    if _has_models():
        from ml import warming
        from stories.services.uploads import sandbox

        sandbox.start()  # it decodes the videos
        _watch.warm(warming.warm)


@task_prerun.connect  # type: ignore[untyped-decorator]
def note_begin(sender: Any, **_: Any) -> None:
    if _watch is not None:
        _watch.begin(is_analysis=sender.name == "stories.tasks.analyse_story")


@task_postrun.connect  # type: ignore[untyped-decorator]
def note_end(**_: Any) -> None:
    if _watch is not None:
        _watch.end()


def _waiting() -> int | None:
    """How many messages the broker has for this worker; None while it's down."""
    from stories.services.job_publisher import BrokerUnavailableError, waiting_messages

    try:
        return waiting_messages(*app.amqp.queues.consume_from)
    except BrokerUnavailableError:
        return None
