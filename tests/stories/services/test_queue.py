"""Publishing jobs: content, and failing fast."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from django.conf import settings

from stories import tasks
from stories.services import job_publisher
from stories.services.queue import LOST_AFTER


def sender(url: str) -> Celery:
    app = Celery("tests", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = url
    return app


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        yield deaf.getsockname()[1]


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/redis.sock", "amqp://127.0.0.1:1//"]
)
def test_a_broker_that_is_away_fails_fast(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_publisher, "current_app", sender(url))
    began = time.monotonic()
    with pytest.raises(job_publisher.BrokerUnavailableError):
        job_publisher.publish_analysis(uuid4())
    assert time.monotonic() - began < 4


def test_a_broker_that_never_answers_does_not_hold_the_request(
    deaf_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = sender(f"redis://127.0.0.1:{deaf_port}/0")
    monkeypatch.setattr(job_publisher, "current_app", app)
    began = time.monotonic()
    with pytest.raises(job_publisher.BrokerUnavailableError):
        job_publisher.publish_analysis(uuid4())
    assert time.monotonic() - began < 7


def test_the_message_is_an_id_on_the_inference_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    # A database of Redis where no worker listens.
    app = sender(settings.CELERY_BROKER_URL.replace("virtual_host=1", "virtual_host=6"))
    monkeypatch.setattr(job_publisher, "current_app", app)
    story_id = uuid4()
    job_publisher.publish_analysis(story_id)
    with app.connection_for_read() as broker, broker.SimpleQueue("inference") as box:
        message = box.get(timeout=5)
        message.ack()
    assert message.headers["task"] == job_publisher.ANALYSE_STORY == tasks.analyse_story.name
    assert message.payload[:2] == [[str(story_id)], {}]


def test_messages_are_counted_until_a_worker_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    app = sender(settings.CELERY_BROKER_URL.replace("virtual_host=1", "virtual_host=8"))
    monkeypatch.setattr(job_publisher, "current_app", app)
    assert job_publisher.waiting_messages() == 0
    for _ in range(3):
        job_publisher.publish_analysis(uuid4())
    assert job_publisher.waiting_messages() == 3
    assert job_publisher.waiting_messages("never used", "inference", "also never used") == 3
    with app.connection_for_read() as broker, broker.SimpleQueue("inference") as box:
        taken = [box.get(timeout=5) for _ in range(3)]
        assert job_publisher.waiting_messages() == 0
        for message in taken:
            message.ack()


def test_counting_messages_of_a_broker_that_is_away_fails_fast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    for url in ("redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"):
        monkeypatch.setattr(job_publisher, "current_app", sender(url))
        with pytest.raises(job_publisher.BrokerUnavailableError):
            job_publisher.waiting_messages()
    assert time.monotonic() - began < 8


def test_the_beat_knows_the_recovery() -> None:
    planned: dict[Any, Any] = {
        one["task"]: one["schedule"] for one in settings.CELERY_BEAT_SCHEDULE.values()
    }
    # What is lost is sent again within a minute.
    assert planned[tasks.recover_stale_stories.name] + LOST_AFTER.total_seconds() < 60
