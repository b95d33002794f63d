"""Notices a worker that is stopped, hangs or hears nothing any more, and has it started anew.

The main process of a worker and its pool processes count in memory that they share, each in a
thread of its own, and watch each other: a count that stays the same while the watcher's own goes
on means a process that is stopped or hangs. Counts instead of clocks, because a machine that
sleeps, or is slow, stops both. Celery replaces a pool process that is killed; a main process that
is killed, or leaves because it hears nothing, takes its pool along, and whoever supervises it
(`make run`, systemd with Restart=always) starts it again.
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
"""Seconds without a beat after which a process is taken for stopped."""

LOADING = 600
"""Seconds that one part of the models may take to load; on a slow machine it is a hundred."""

LISTEN_EVERY = 10
DEAF = 6
"""How often in a row messages may wait, LISTEN_EVERY seconds apart, while all are idle."""

WARMING, IDLE, ANALYSING, BUSY = range(4)

logger = logging.getLogger(__name__)


class Vitals(ctypes.Structure):
    """What one process says of itself."""

    _fields_ = [
        ("pid", ctypes.c_uint64),
        ("beats", ctypes.c_uint64),
        ("signs", ctypes.c_uint64),
        ("state", ctypes.c_uint64),
    ]


def shared_vitals(processes: int) -> Any:
    """Vitals of the main process and of `processes` others, in memory that outlives a fork."""
    kind = Vitals * (1 + processes)
    return kind.from_buffer(mmap.mmap(-1, ctypes.sizeof(kind)))


class Stillness:
    """How many looks in a row a value has stayed the same."""

    def __init__(self) -> None:
        self._last: object = None
        self._looks = 0

    def look(self, value: object) -> int:
        self._looks = self._looks + 1 if value == self._last else 0
        self._last = value
        return self._looks


class PoolProcess:
    """One pool process as the main process sees it."""

    def __init__(self, vitals: Any, name: str) -> None:
        self.vitals, self.name = vitals, name
        self._beats, self._signs = Stillness(), Stillness()

    def complaint(self) -> str:
        """Why it has to go, or ""; call it once a second."""
        said = self.vitals
        if said.pid and not _is_alive(said.pid):
            said.pid = 0
            model_status.withdraw(self.name)
        still = self._beats.look((said.pid, said.beats))
        stuck = self._signs.look((said.pid, said.signs, said.state))
        if not said.pid:
            return ""
        if still >= STOPPED:
            return f"no sign of life for {still} s"
        if said.state == WARMING and stuck >= LOADING:
            return f"nothing more was loaded for {stuck} s"
        if said.state == ANALYSING and stuck >= 2 * settings.STORIES_STALE_AFTER:
            return f"an analysis made no progress for {stuck} s"
        return ""

    def kill(self, why: str) -> None:
        model_status.note_restart(self.name, why)
        pid, self.vitals.pid = int(self.vitals.pid), 0
        _kill(pid)


class Ears:
    """Whether the worker still takes what the broker has for it."""

    def __init__(self, waiting: Callable[[], int | None]) -> None:
        self._waiting, self._deaf = waiting, 0
        self._idle = Stillness()

    def are_deaf(self, pool: Any) -> bool:
        """Whether messages wait although nobody has had anything to do for a minute."""
        signs = tuple((one.pid, one.signs) for one in pool)
        idle = all(one.pid and one.state == IDLE for one in pool)
        still = self._idle.look(signs) > 0
        self._deaf = self._deaf + 1 if idle and still and self._waiting() else 0
        return self._deaf >= DEAF


class MainWatch:
    """The thread in the main process of a worker."""

    def __init__(self, name: str, vitals: Any, ears: Ears) -> None:
        self.main, self.pool = vitals[0], vitals[1:]
        self.name, self.ears = name, ears
        self.processes = [
            PoolProcess(one, pool_name(name, slot)) for slot, one in enumerate(self.pool)
        ]
        self.beat: Any = None  # the process of `--beat`, which nobody else looks after
        self.importing = 0  # how many parts are to be loaded, while the first is on its way

    def look(self) -> None:
        """Look at everything; call it once a second."""
        self.main.beats += 1
        if self.importing:
            model_status.publish(pool_name(self.name, 0), 0, self.importing)
        for process in self.processes:
            if why := process.complaint():
                process.kill(why)
        if self.beat is not None and not self.beat.is_alive():
            self._leave("its beat has died")
        if self.main.beats % LISTEN_EVERY == 0 and self.ears.are_deaf(self.pool):
            self._leave(f"messages wait, but it has taken none for {DEAF * LISTEN_EVERY} s")

    def _leave(self, why: str) -> None:
        model_status.note_restart(self.name, why)
        os._exit(1)


class PoolWatch:
    """The thread in a pool process: beats, says how far it is, and watches the main process."""

    def __init__(self, name: str, vitals: Any, slot: int) -> None:
        self.main, self.own, self.name = vitals[0], vitals[1 + slot], pool_name(name, slot)
        self.worker = name
        self.main_pid, self._beats = os.getppid(), Stillness()
        self.loaded = self.parts = 0
        self.own.state, self.own.pid = IDLE, os.getpid()

    def look(self) -> None:
        self.own.beats += 1
        self.own.signs = heartbeat.count()
        if self.parts:
            model_status.publish(self.name, self.loaded, self.parts)
        if self._beats.look(self.main.beats) >= STOPPED:
            model_status.note_restart(self.worker, f"no sign of life for {STOPPED} s")
            _kill(self.main_pid)  # and with it this process

    def warm(self, load: Callable[[Callable[[int, int], None]], None]) -> None:
        """Load the models; `load` is given what to call with the parts loaded, and of how many."""
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


def every_second(look: Callable[[], None]) -> None:
    """Call it in a thread of its own for as long as the process lives."""

    def run() -> None:
        while True:
            try:
                look()
            except Exception:
                logger.exception("the watchdog stumbled")
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
        logger.debug("process %s had gone already", pid)
