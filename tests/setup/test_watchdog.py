"""The watchdog's decisions; each check stands for one second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import LazySettings

from stories.workers import model_status
from storify_site import watchdog
from storify_site.watchdog import ANALYSING, BUSY, IDLE, WARMING, MainWatch, PoolWatch, QueueWatch

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Record signals instead of sending them."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


@pytest.fixture
def vitals() -> Any:
    vitals = watchdog.shared_vitals(1)
    vitals[1].pid, vitals[1].state = os.getpid(), IDLE
    return vitals


def watch(vitals: Any, waiting: int | None = 0) -> MainWatch:
    return MainWatch("models@here", vitals, QueueWatch(lambda: waiting))


def test_a_process_without_a_beat_is_killed_once(
    vitals: Any, killed: list[tuple[int, int]]
) -> None:
    main = watch(vitals)
    for _ in range(watchdog.STOPPED):
        main.check()
    assert killed == []
    for _ in range(50):
        main.check()
    assert killed == [(os.getpid(), signal.SIGKILL)]
    restart = model_status.summary()["last_restart"]
    assert (restart["process"], restart["why"]) == ("models@here:0", "no sign of life for 20 s")


@pytest.fixture
def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    return gone.pid


def test_a_process_that_died_is_named_and_not_shown_as_ready(
    vitals: Any, killed: list[tuple[int, int]], dead_pid: int
) -> None:
    main = watch(vitals)
    vitals[1].pid = dead_pid
    model_status.publish("models@here:0", 7, 7)
    main.check()
    assert model_status.read().state == "away"
    restart = model_status.summary()["last_restart"]
    assert (restart["process"], restart["why"]) == ("models@here:0", watchdog.CRASHED)
    assert killed == []


def test_a_process_that_died_and_was_replaced_within_a_second_is_named(
    vitals: Any, dead_pid: int
) -> None:
    main = watch(vitals)
    vitals[1].pid = os.getppid()
    main.check()
    assert "last_restart" not in model_status.summary()
    vitals[1].pid = os.getpid()
    main.check()
    assert model_status.summary()["last_restart"]["process"] == "models@here:0"


def test_a_process_that_ends_with_its_worker_is_no_crash(vitals: Any, dead_pid: int) -> None:
    main = watch(vitals)
    vitals[1].pid = dead_pid
    main.is_stopping = True
    main.check()
    assert "last_restart" not in model_status.summary()


def test_a_worker_knows_that_the_one_before_it_crashed(vitals: Any) -> None:
    watch(vitals).check()
    watch(vitals)
    restart = model_status.summary()["last_restart"]
    assert (restart["process"], restart["why"]) == ("models@here", watchdog.CRASHED)


def test_a_worker_that_was_told_to_stop_did_not_crash(vitals: Any) -> None:
    watch(vitals).check()
    model_status.unmark_running("models@here")
    watch(vitals)
    assert "last_restart" not in model_status.summary()


@pytest.mark.parametrize(
    ("state", "seconds"), [(WARMING, watchdog.LOADING), (ANALYSING, 60), (IDLE, None), (BUSY, None)]
)
def test_a_process_that_beats_but_gets_nothing_done_is_killed_where_it_should(
    vitals: Any,
    killed: list[tuple[int, int]],
    settings: LazySettings,
    state: int,
    seconds: int | None,
) -> None:
    settings.STORIES_STALE_AFTER = 30
    main, checks = watch(vitals), 0
    vitals[1].state = state
    while not killed and checks < 2000:
        vitals[1].beats += 1
        main.check()
        checks += 1
    assert (checks - 1 if killed else None) == seconds


def test_a_process_that_gets_on_is_left_alone(vitals: Any, killed: list[tuple[int, int]]) -> None:
    main = watch(vitals)
    vitals[1].state = WARMING
    for second in range(3 * watchdog.LOADING):
        vitals[1].beats += 1
        vitals[1].progress += second % watchdog.LOADING == 0
        main.check()
    assert killed == []


@pytest.mark.parametrize(
    ("waiting", "state", "leaves"), [(5, IDLE, True), (0, IDLE, False), (5, BUSY, False),
                                     (None, IDLE, False), (5, WARMING, False)]
)  # fmt: skip
def test_a_worker_leaves_that_takes_nothing_while_messages_wait(
    vitals: Any, monkeypatch: pytest.MonkeyPatch, waiting: int | None, state: int, leaves: bool
) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    main = watch(vitals, waiting)
    vitals[1].state = state
    for _ in range(90):
        vitals[1].beats += 1
        main.check()
    assert bool(left) is leaves


def test_a_worker_that_takes_messages_stays(vitals: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", pytest.fail)
    main = watch(vitals, 5)
    for second in range(300):
        vitals[1].beats += 1
        vitals[1].progress += second % 30 == 0
        main.check()


def test_a_worker_whose_beat_has_died_leaves(vitals: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    main = watch(vitals)

    class Beat:
        alive = True

        def is_alive(self) -> bool:
            return self.alive

    main.beat = Beat()
    main.check()
    assert left == []
    main.beat.alive = False
    main.check()
    assert left == [1]


class LivingBeat:
    def is_alive(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("tick_every", "waiting", "leaves"), [(10, 0, False), (1000, 0, True), (1000, None, False)]
)
def test_a_worker_whose_beat_stands_still_leaves_unless_the_broker_is_away(
    vitals: Any,
    monkeypatch: pytest.MonkeyPatch,
    tick_every: int,
    waiting: int | None,
    leaves: bool,
) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    main = watch(vitals, waiting)
    main.beat = LivingBeat()
    for second in range(watchdog.BEAT_STOPPED + 5):
        vitals[1].beats += 1
        vitals[-1].progress += second % tick_every == 0
        main.check()
    assert bool(left) is leaves
    restart = model_status.summary().get("last_restart", {"why": ""})
    assert ("its beat made no progress" in restart["why"]) is leaves


def test_a_pool_process_ends_a_main_process_without_a_beat(
    vitals: Any, killed: list[tuple[int, int]]
) -> None:
    pool = PoolWatch("models@here", vitals, 0)
    for _ in range(50):
        vitals[0].beats += 1
        pool.check()
    assert killed == []
    for _ in range(watchdog.STOPPED):
        pool.check()
    assert killed == [(os.getppid(), signal.SIGKILL)]


def test_a_pool_process_says_how_far_it_is(vitals: Any) -> None:
    pool = PoolWatch("models@here", vitals, 0)
    pool.check()
    assert model_status.read().state == "away"  # one without models says nothing of them

    def load(on_part: Any) -> None:
        on_part(1, 2)
        pool.check()
        assert vitals[1].state == WARMING
        assert model_status.read().state == "warming"
        on_part(2, 2)

    pool.warm(load)
    assert vitals[1].state == IDLE
    assert model_status.read().state == "ready"
