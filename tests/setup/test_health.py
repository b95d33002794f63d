"""Whether the site says honestly that it can serve."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_healthz_answers_ok(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_with_everything_running_is_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["parts"] == {
        "database": True,
        "migrations": True,
        "cache": True,
        "broker": True,
    }
