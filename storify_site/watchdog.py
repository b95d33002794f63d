"""Watchdog that restarts a worker that is stopped, hangs or no longer receives messages.

The main process of a worker and its pool processes each run a thread that increments a counter in
shared memory, and watch each other: a counter that stands still while the watcher's own goes on
means that the process is stopped or hangs. They're counters, not clocks, because a machine that
sleeps or is slow stops both. The scheduler of `--beat` counts its ticks in the same memory. Celery
replaces a killed pool process. A main process that is killed, or exits because it receives nothing
or because its scheduler stands still, takes its children along, and its supervisor (`make run`,
systemd with Restart=always) starts it again.
"""

from __future__ import annotations

import ctypes
import logging
import mmap
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
from django.conf import settings

from stories.workers import heartbeat, model_status

SECOND = 1.0
STOPPED = 20
"""Seconds without a beat after which a process counts as stopped."""

LOADING = 600
"""Seconds that one part of the models may take to load; a slow machine needs a hundred."""

BEAT_STOPPED = 60
"""Seconds without a tick of the scheduler, which has something to send every ten."""

CRASHED = "it was killed or crashed"

QUEUE_CHECK_EVERY = 10
STALLED_CHECKS = 6
"""Consecutive checks, QUEUE_CHECK_EVERY seconds apart, with waiting messages and an idle pool."""

WARMING, IDLE, ANALYSING, BUSY = range(4)

logger = logging.getLogger(__name__)


class Vitals(ctypes.Structure):
    """The state of one process, in shared memory."""

    _fields_ = [
        ("pid", ctypes.c_uint64),
        ("beats", ctypes.c_uint64),
        ("progress", ctypes.c_uint64),
        ("state", ctypes.c_uint64),
    ]


def shared_vitals(processes: int) -> Any:
    """Vitals of the main process, `processes` pool processes and beat, shared across forks."""
    kind = Vitals * (2 + processes)
    return kind.from_buffer(mmap.mmap(-1, ctypes.sizeof(kind)))


class StallCounter:
    """Counts how often in a row a value has stayed the same."""

    def __init__(self) -> None:
        self._last: object = None
        self._unchanged = 0

    def count(self, value: object) -> int:
        self._unchanged = self._unchanged + 1 if value == self._last else 0
        self._last = value
        return self._unchanged


class PoolProcess:
    """One pool process as the main process sees it."""

    def __init__(self, vitals: Any, name: str) -> None:
        self.vitals, self.name = vitals, name
        self._beats, self._progress = StallCounter(), StallCounter()
        self._pid = 0

    def has_crashed(self) -> bool:
        """Whether the process died by itself since the last call; Celery replaces it at once."""
        before, self._pid = self._pid, int(self.vitals.pid)
        if self._pid and not _is_alive(self._pid):
            before, self._pid, self.vitals.pid = self._pid, 0, 0
            model_status.withdraw(self.name)
        return before not in {0, self._pid}

    def reason_to_kill(self) -> str:
        """Why the process must be killed, or ""; call it once a second."""
        vitals = self.vitals
        still = self._beats.count((vitals.pid, vitals.beats))
        stuck = self._progress.count((vitals.pid, vitals.progress, vitals.state))
        if not vitals.pid:
            return ""
        if still >= STOPPED:
            return f"no sign of life for {still} s"
        if vitals.state == WARMING and stuck >= LOADING:
            return f"no progress in loading the models for {stuck} s"
        if vitals.state == ANALYSING and stuck >= 2 * settings.STORIES_STALE_AFTER:
            return f"an analysis made no progress for {stuck} s"
        return ""

    def kill(self, why: str) -> None:
        model_status.note_restart(self.name, why)
        pid, self.vitals.pid, self._pid = int(self.vitals.pid), 0, 0
        _kill(pid)


class QueueWatch:
    """Checks whether the worker still takes messages from the broker."""

    def __init__(self, waiting: Callable[[], int | None]) -> None:
        self._waiting, self._stalled = waiting, 0
        self._idle = StallCounter()

    def broker_answers(self) -> bool:
        """False while the broker is down."""
        return self._waiting() is not None

    def is_stalled(self, pool: Any) -> bool:
        """Whether messages have been waiting for a minute while every process was idle."""
        progress = tuple((process.pid, process.progress) for process in pool)
        idle = all(process.pid and process.state == IDLE for process in pool)
        still = self._idle.count(progress) > 0
        self._stalled = self._stalled + 1 if idle and still and self._waiting() else 0
        return self._stalled >= STALLED_CHECKS


class MainWatch:
    """The thread in the main process of a worker."""

    def __init__(self, name: str, vitals: Any, queue: QueueWatch) -> None:
        self.main, self.pool, self.beat_vitals = vitals[0], vitals[1:-1], vitals[-1]
        self.name, self.queue = name, queue
        self.processes = [
            PoolProcess(one, pool_name(name, slot)) for slot, one in enumerate(self.pool)
        ]
        self.beat: Any = None  # the process of `--beat`, which nothing else watches
        self._ticks = StallCounter()
        self.is_stopping = False  # then processes end as they should
        self.importing = 0  # how many parts there are to load, before the first is loaded
        self._note_crash_before()

    def check(self) -> None:
        """Check everything; call it once a second."""
        self.main.beats += 1
        if self.importing:
            model_status.publish(pool_name(self.name, 0), 0, self.importing)
        for process in self.processes:
            if process.has_crashed() and not self.is_stopping:
                model_status.note_restart(process.name, CRASHED)
            if why := process.reason_to_kill():
                process.kill(why)
        if self.main.beats % QUEUE_CHECK_EVERY == 1 and not self.is_stopping:
            model_status.mark_running(self.name)
        if self.beat is not None:
            self._check_beat()
        if self.main.beats % QUEUE_CHECK_EVERY == 0 and self.queue.is_stalled(self.pool):
            self._exit(
                f"messages wait, but it has taken none for {STALLED_CHECKS * QUEUE_CHECK_EVERY} s"
            )

    def _note_crash_before(self) -> None:
        if model_status.was_running(self.name):
            model_status.note_restart(self.name, CRASHED)

    def _check_beat(self) -> None:
        still = self._ticks.count(self.beat_vitals.progress)
        if self.is_stopping:
            return
        if not self.beat.is_alive():
            self._exit("its beat died")
        if still >= BEAT_STOPPED and self.queue.broker_answers():  # without a broker, it can't send
            self._exit(f"its beat made no progress for {still} s")

    def _exit(self, why: str) -> None:
        model_status.note_restart(self.name, why)
        os._exit(1)


class PoolWatch:
    """The thread in a pool process: beats, reports progress and watches the main process."""

    def __init__(self, name: str, vitals: Any, slot: int) -> None:
        self.main, self.own, self.name = vitals[0], vitals[1 + slot], pool_name(name, slot)
        self.worker = name
        self.main_pid, self._beats = os.getppid(), StallCounter()
        self.loaded = self.parts = 0
        self.own.state, self.own.pid = IDLE, os.getpid()

    def check(self) -> None:
        self.own.beats += 1
        self.own.progress = heartbeat.count()
        if self.parts:
            model_status.publish(self.name, self.loaded, self.parts)
        if self._beats.count(self.main.beats) >= STOPPED:
            model_status.note_restart(self.worker, f"no sign of life for {STOPPED} s")
            _kill(self.main_pid)  # and with it this process

    def warm(self, load: Callable[[Callable[[int, int], None]], None]) -> None:
        """Load the models with `load`, which calls its argument with (loaded, total) parts."""
        self.own.state = WARMING
        load(self.note_loaded)
        self.own.state = IDLE
        model_status.publish(self.name, self.loaded, self.parts)

    def note_loaded(self, loaded: int, parts: int) -> None:
        self.loaded, self.parts = loaded, parts
        heartbeat.note()

    def begin(self, *, is_analysis: bool) -> None:
        self.own.state = ANALYSING if is_analysis else BUSY
        heartbeat.note()

    def end(self) -> None:
        self.own.state = IDLE
        heartbeat.note()


def pool_name(worker: str, slot: int) -> str:
    return f"{worker}:{slot}"


def every_second(check: Callable[[], None]) -> None:
    """Call `check` every second in a daemon thread."""

    def run() -> None:
        while True:
            try:
                check()
            except Exception:
                logger.exception("the watchdog failed")
            time.sleep(SECOND)

    threading.Thread(target=run, name="watchdog", daemon=True).start()


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        logger.debug("process %s was already gone", pid)
