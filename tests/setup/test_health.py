"""Whether the site says honestly that it can serve."""

from collections.abc import Iterator

import pytest
from django.test import Client

from storify_site import embedded

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_away() -> Iterator[None]:
    """The time while Redis does not run."""
    embedded.redis.stop(embedded.var_dir())
    yield
    embedded.redis.start(embedded.var_dir(), durable=False)


def test_healthz_answers_ok(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_with_everything_running_is_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "parts": {"database": True, "migrations": True, "cache": True, "broker": True},
    }


def test_readyz_without_redis_is_not_ready(client: Client, redis_away: None) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["parts"] == {
        "database": True,
        "migrations": True,
        "cache": False,
        "broker": False,
    }


def test_healthz_without_redis_still_answers(client: Client, redis_away: None) -> None:
    assert client.get("/healthz").status_code == 200


def test_api_without_redis_says_try_again(client: Client, redis_away: None) -> None:
    response = client.post("/api/v1/auth/token", {"email": "a@b.test", "password": "x"})

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].endswith("Please try again in a minute.")
