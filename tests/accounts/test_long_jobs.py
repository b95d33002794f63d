"""Long jobs run one at a time, in a queue of their own."""

from collections.abc import Iterator

import psycopg
import pytest
from celery.exceptions import Retry
from django.conf import settings
from django.db import connection

from accounts.long_jobs import _LOCK_KEY, LongJob
from recommender import services, tasks
from storify_site.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    calls: list[bool] = []
    monkeypatch.setattr(services, "recount_saves", lambda: calls.append(is_locked()))
    return calls


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """The connection of another process."""
    parameters = connection.get_connection_params()
    with psycopg.connect(
        dbname=parameters["dbname"],
        host=parameters.get("host", ""),
        user=parameters.get("user"),
        autocommit=True,
    ) as other:
        yield other


def is_locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE objid = %s", [_LOCK_KEY])
        return bool(cursor.fetchone()[0])


def test_a_long_job_holds_the_lock_while_it_runs(calls: list[bool]) -> None:
    tasks.recount_saves()
    assert calls == [True]
    assert not is_locked()


def test_a_failed_long_job_frees_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "recount_saves", fail)
    with pytest.raises(ZeroDivisionError):
        tasks.recount_saves()
    assert not is_locked()


def test_a_long_job_beside_another_is_tried_again_later(
    calls: list[bool], other: psycopg.Connection
) -> None:
    other.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
    with pytest.raises(Retry):
        tasks.recount_saves()
    assert calls == []
    other.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_KEY])
    tasks.recount_saves()
    assert calls == [True]


def test_long_jobs_and_no_others_have_the_queue_long() -> None:
    app.loader.import_default_modules()
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks}
    long_jobs = {name for name, task in app.tasks.items() if isinstance(task, LongJob)}
    assert {name for name, queue in queues.items() if queue == "long"} == long_jobs
    assert long_jobs == {*settings.LONG_JOBS}
    assert queues["accounts.tasks.mail_password_reset"] == "default"
