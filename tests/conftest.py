"""What every test may count on: a real PostgreSQL, a real Redis, and no network."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache

from storify_site import embedded


@pytest.fixture(scope="session", autouse=True)
def local_services() -> Iterator[None]:
    """This run's own PostgreSQL (unless DATABASE_URL names another) and Redis."""
    var = embedded.var_dir()
    embedded.start_redis(var, durable=False)
    if not os.environ.get("DATABASE_URL"):
        embedded.start_postgres(var, durable=False)
    yield
    embedded.stop_postgres(var)
    embedded.stop_redis(var)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(local_services: None) -> None:
    """The test database is made after the server that holds it has started."""


@pytest.fixture(autouse=True)
def clean_cache(local_services: None) -> Iterator[None]:
    """Throttles, locks and circuits of one test never reach the next."""
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: object) -> Path:
    """Photos of a test go into the test's own folder."""
    folder = tmp_path / "media"
    settings.MEDIA_ROOT = folder  # type: ignore[attr-defined]
    return folder
