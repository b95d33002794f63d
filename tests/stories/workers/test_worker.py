"""End-to-end analysis with a real worker, broker and models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from ml.labels import ACTIONS
from ml.video import FRAMES
from recommender.models import Suggestion, Track
from stories import services
from stories.models import Analysis, Story
from stories.services import job_publisher
from storify_site import local
from tests.factories import make_photo_bytes, make_story, make_video_bytes
from tests.stories.conftest import make_track

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 90.0

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]


def wait_until(what: str, condition: Callable[[], Any], log: Path | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"Never {what}.\n{log.read_text()[-4000:] if log else ''}")
        time.sleep(0.02)


@pytest.fixture
def tracks(transactional_db: None) -> list[Track]:
    return [make_track(number) for number in range(24)]


def test_an_upload_becomes_ready_with_tags_and_tracks(
    user: User, tracks: list[Track], celery_worker_process: subprocess.Popen[bytes]
) -> None:
    client = APIClient()
    client.force_authenticate(user)
    form = {"photo": _upload(), "caption": "A wonderful evening"}
    place = client.post("/api/v1/stories/", form, format="multipart")["Location"]
    wait_until("ready", lambda: client.get(place).json()["status"] not in {"queued", "analysing"})
    story = client.get(place).json()
    assert (story["status"], story["error"]) == ("ready", None)
    assert set(story["tags"]["action"]["probabilities"]) == set(ACTIONS)
    assert len(story["suggestions"]) == 10


def test_an_uploaded_video_becomes_ready_with_moments_and_tracks(
    user: User, tracks: list[Track], celery_worker_process: subprocess.Popen[bytes]
) -> None:
    client = APIClient()
    client.force_authenticate(user)
    data = make_video_bytes("webm", seconds=6, size=(320, 240))
    form = {"photo": SimpleUploadedFile("video.webm", data), "caption": "A wonderful evening"}
    place = client.post("/api/v1/stories/", form, format="multipart")["Location"]
    wait_until("ready", lambda: client.get(place).json()["status"] not in {"queued", "analysing"})
    story = client.get(place).json()
    assert (story["status"], story["error"]) == ("ready", None)
    times = [moment["at"] for moment in story["moments"]]
    assert len(times) == FRAMES
    assert times == sorted(times)
    assert len(story["suggestions"]) == 10


def test_a_hundred_messages_for_one_story_are_one_analysis(
    user: User, tracks: list[Track], celery_worker_process: subprocess.Popen[bytes]
) -> None:
    story = make_story(user)
    for _ in range(100):
        job_publisher.publish_analysis(story.pk)
    last = make_story(user)
    job_publisher.publish_analysis(last.pk)
    wait_until("ready", lambda: Story.objects.filter(pk=last.pk, status="ready").exists())
    story.refresh_from_db()
    assert (story.status, story.attempts) == ("ready", 1)
    assert Suggestion.objects.filter(story_id=story.pk).values("batch").distinct().count() == 1


class Workers:
    """Workers of a separate queue, started and killed by a test."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment, self.log = environment, log
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.running.append(
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "storify_site", "worker", "-Q", "inference",
                 "-c", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"],
                cwd=ROOT, env=self.environment, start_new_session=True,
                stdout=self.log.open("ab"), stderr=subprocess.STDOUT,
            )
        )  # fmt: skip

    def kill(self) -> None:
        """Send SIGKILL to the worker and its children."""
        while self.running:
            worker = self.running.pop()
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(30)


@pytest.fixture
def workers(
    test_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Workers]:
    url = local.redis.broker_url(local.var_dir()).replace("virtual_host=1", "virtual_host=5")
    sender = Celery("tests", set_as_current=False)
    sender.config_from_object("django.conf:settings", namespace="CELERY")
    sender.conf.broker_url = url
    monkeypatch.setattr(job_publisher, "current_app", sender)
    environment = {**test_environment, "CELERY_BROKER_URL": url, "STORIFY_WARM": "0"}
    workers = Workers(environment, tmp_path / "worker.log")
    yield workers
    workers.kill()


def test_a_worker_killed_in_the_middle_and_started_again_finishes_the_story_once(
    user: User, tracks: list[Track], workers: Workers, settings: LazySettings
) -> None:
    settings.STORIES_STALE_AFTER = 1
    story = make_story(user)
    services.enqueue_story(story_id=story.pk)
    workers.start()  # not warmed: its first analysis takes seconds
    analysing = Story.objects.filter(pk=story.pk, status="analysing")
    wait_until("analysing", analysing.exists, workers.log)
    workers.kill()
    story.refresh_from_db()
    assert (story.status, story.attempts) == ("analysing", 1)
    wait_until("recovered", services.recover_stale_stories, workers.log)
    workers.start()
    ready = Story.objects.filter(pk=story.pk, status="ready")
    wait_until("ready", ready.exists, workers.log)
    story.refresh_from_db()
    assert (story.attempts, story.claim) == (2, None)
    assert Analysis.objects.filter(story=story).count() == 1
    assert Suggestion.objects.filter(story_id=story.pk).values("batch").distinct().count() == 1
    assert services.recover_stale_stories() == 0


def _upload() -> Any:
    return SimpleUploadedFile("photo.jpg", make_photo_bytes((640, 480)))
