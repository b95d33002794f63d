"""Health checks."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from celery import Celery
from django.test import Client
from django.utils import timezone

from stories.workers import model_status
from storify_site import beat, local, watchdog

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_cache")]


@pytest.fixture
def redis_away() -> Iterator[None]:
    """Stop Redis during the block."""
    local.redis.stop(local.var_dir())
    yield
    local.redis.start(local.var_dir(), durable=False)


def test_healthz_answers_ok(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_with_everything_running_is_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "parts": {"database": True, "migrations": True, "cache": True, "broker": True},
        "models": {"state": "away", "loaded": 0, "of": 0, "processes": 0},
        "scheduler": {"last_tick": None},
    }


def test_readyz_tells_models_that_warm_up_from_the_site_which_is_ready(client: Client) -> None:
    model_status.publish("models@one:0", 3, 7)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["models"] == {"state": "warming", "loaded": 3, "of": 7, "processes": 1}

    model_status.publish("models@two:0", 7, 7)
    assert client.get("/readyz").json()["models"]["state"] == "ready"


def test_a_model_process_that_says_nothing_any_more_is_not_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_status, "EXPIRES", 0.01)
    model_status.publish("models@one:0", 7, 7)
    while model_status.read().state == "ready":
        pass
    assert client.get("/readyz").json()["models"]["state"] == "away"


def test_readyz_tells_of_a_restart(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    model_status.note_restart("models@one:0", "no sign of life for 20 s")
    result = client.get("/readyz").json()["models"]["last_restart"]
    assert (result["process"], result["why"]) == ("models@one:0", "no sign of life for 20 s")
    assert "models@one:0 is restarted: no sign of life for 20 s" in caplog.text


def test_readyz_says_when_the_scheduler_last_ticked(client: Client, tmp_path: Path) -> None:
    scheduler = beat.Scheduler(
        app=Celery("tests", set_as_current=False), schedule_filename=str(tmp_path / "schedule")
    )
    scheduler.vitals = watchdog.shared_vitals(1)[-1]
    before = timezone.now().replace(microsecond=0)
    scheduler.tick()
    last_tick = client.get("/readyz").json()["scheduler"]["last_tick"]
    assert before <= datetime.fromisoformat(last_tick) <= timezone.now()
    assert scheduler.vitals.progress == 1


def test_readyz_without_redis_is_not_ready(client: Client, redis_away: None) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["parts"] == {
        "database": True,
        "migrations": True,
        "cache": False,
        "broker": False,
    }
    assert response.json()["models"]["state"] == "unknown"
    assert response.json()["scheduler"] == {"last_tick": None}


def test_healthz_without_redis_still_answers(client: Client, redis_away: None) -> None:
    assert client.get("/healthz").status_code == 200


def test_api_without_redis_says_try_again(client: Client, redis_away: None) -> None:
    response = client.post("/api/v1/auth/token", {"email": "a@b.test", "password": "x"})

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].endswith("Please try again in a minute.")
    assert response["Retry-After"] == "60"
