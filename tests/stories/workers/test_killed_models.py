"""A real worker with fake models whose pool process is killed, stopped or hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from recommender.models import Suggestion
from stories import services
from stories.models import Story
from stories.services import job_publisher
from stories.workers import model_status
from storify_site import watchdog
from tests.factories import make_story

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
# Another worker of this session may run beside it under the host's own name.
NODE = "killed@test"

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]


@dataclass
class Worker:
    """An inference worker, and the folder in which its fake models report events."""

    process: subprocess.Popen[bytes]
    folder: Path

    def one_more(self, event: str, than: list[int]) -> int:
        """Wait until another process reports `event`; return its id."""
        return int(self.wait(f"another process {event}", lambda: self._new(event, than)))

    def _new(self, event: str, than: list[int]) -> int:
        pids = {int(path.name.rpartition("-")[2]) for path in self.folder.glob(f"{event}-*")}
        return next(iter(pids - set(than)), 0)

    def wait(self, what: str, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (answer := condition()):
            if time.monotonic() > deadline or self.process.poll() == 1:
                pytest.fail(f"Never {what}.\n{self.log()[-6000:]}")
            time.sleep(0.02)
        return answer

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ready(self, story: Story) -> bool:
        return Story.objects.filter(pk=story.pk, status="ready").exists()


@pytest.fixture
def worker(
    test_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Worker]:
    url = settings.CELERY_BROKER_URL.replace("virtual_host=1", "virtual_host=7")
    sender = Celery("tests", set_as_current=False)
    sender.config_from_object("django.conf:settings", namespace="CELERY")
    sender.conf.broker_url = url
    monkeypatch.setattr(job_publisher, "current_app", sender)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tests.stories.workers.fake_worker", "worker",
             "-Q", "inference", "-c", "1", "-n", NODE, "--without-gossip", "--without-mingle"],
            cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            env={**test_environment, "CELERY_BROKER_URL": url, "FAKE_MODELS": str(tmp_path)},
        )  # fmt: skip
    yield Worker(process, tmp_path)
    with suppress(ProcessLookupError):  # the test may have ended all of them
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def test_model_process_killed_while_warming_and_twice_at_work_finishes_every_story(
    user: User, worker: Worker, client: Client
) -> None:
    stories = [make_story(user) for _ in range(3)]
    for story in stories:
        services.enqueue_story(story_id=story.pk)

    gone = [worker.one_more("warming", [])]
    os.kill(gone[0], signal.SIGKILL)
    for _ in range(2):
        gone.append(worker.one_more("analysing", gone))
        os.kill(gone[-1], signal.SIGKILL)
    (worker.folder / "go").touch()
    worker.wait("ready", lambda: all(map(worker.ready, stories)))

    assert worker.process.poll() is None
    models = client.get("/readyz").json()["models"]
    assert models["state"] == "ready"
    assert models["last_restart"]["process"] == f"{NODE}:0"
    assert models["last_restart"]["why"] == watchdog.CRASHED
    assert "Timed out waiting for UP" not in worker.log()
    batches = Suggestion.objects.values("story_id", "batch").distinct().count()
    assert batches == Suggestion.objects.values("story_id").distinct().count()


def test_stopped_model_process_is_replaced(user: User, worker: Worker) -> None:
    first = worker.one_more("ready", [])
    os.kill(first, signal.SIGSTOP)
    worker.wait("away", lambda: cache.get(f"models:{NODE}:0") is None)
    story = make_story(user)
    services.enqueue_story(story_id=story.pk)
    (worker.folder / "go").touch()

    worker.wait("ready", lambda: worker.ready(story))

    assert "is restarted: no sign of life" in worker.log()
    assert "no sign of life" in model_status.summary()["last_restart"]["why"]


def test_stopped_main_process_is_ended_for_its_supervisor_to_start_again(worker: Worker) -> None:
    child = worker.one_more("ready", [])
    os.kill(worker.process.pid, signal.SIGSTOP)

    assert worker.process.wait(PATIENCE) == -signal.SIGKILL

    worker.wait("gone with it", lambda: not Path(f"/proc/{child}/exe").exists())
    assert "is restarted: no sign of life" in worker.log()
