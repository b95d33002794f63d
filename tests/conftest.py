"""Fixtures for all tests: PostgreSQL, Redis, and no network."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.db import connection

from storify_site import local
from storify_site.local.free_port import free_port
from tests.stories.workers import real_worker

ROOT = Path(__file__).resolve().parent.parent
# Every run tries the same examples, and a busy machine may take its time.
hypothesis.settings.register_profile("storify", deadline=None, derandomize=True)
hypothesis.settings.load_profile("storify")


def pytest_configure(config: pytest.Config) -> None:
    """Clean up on SIGTERM as on Ctrl-C; decide where the live site is, which workers need, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.option.liveserver = config.option.liveserver or f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="session", autouse=True)
def local_services() -> Iterator[None]:
    """This run's own PostgreSQL (unless DATABASE_URL names another) and Redis, or shared ones."""
    var = local.var_dir()
    local.redis.start(var, durable=False)
    if not os.environ.get("DATABASE_URL"):
        local.postgres.start(var, durable=False)
    yield
    if not os.environ.get("STORIFY_TEST_SERVICES"):
        local.postgres.stop(var)
        local.redis.stop(var)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(local_services: None) -> None:
    """Create the test database after its server has started."""


@pytest.fixture(autouse=True)
def clean_cache(local_services: None) -> Iterator[None]:
    """Keep throttles, locks and circuit breakers of one test from reaching the next."""
    yield
    cache.clear()


@pytest.fixture
def own_cache(settings: LazySettings) -> None:
    """A cache of this test alone: a real worker reports the state of its models to the other."""
    own = {**settings.CACHES["default"], "KEY_PREFIX": "own"}
    settings.CACHES = {**settings.CACHES, "default": own}


@pytest.fixture
def no_cache(settings: LazySettings) -> None:
    """A cache that can't be reached."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/redis.sock",
        }
    }


@pytest.fixture(autouse=True)
def media() -> Iterator[Path]:
    """The media folder, emptied after every test; shared with the real worker."""
    folder = Path(settings.MEDIA_ROOT)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def test_environment(django_db_setup: None, pytestconfig: pytest.Config) -> dict[str, str]:
    """The environment of a process that uses this run's database, queue and media."""
    url = os.environ.get("DATABASE_URL") or local.postgres.url(local.var_dir())
    before, _, query = url.partition("?")
    name = connection.settings_dict["NAME"]
    database_url = f"{before.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "storify_site.settings",
        "DATABASE_URL": database_url,
        "SITE_URL": f"http://{pytestconfig.option.liveserver}",
    }


@pytest.fixture(scope="session")
def celery_worker_process(
    request: pytest.FixtureRequest, test_environment: dict[str, str], local_services: None
) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker on all queues, started once for the whole run.

    Tests that use it see committed rows only: mark them `worker` and
    `django_db(transaction=True)`.
    """
    log = (local.var_dir() / "worker.log").open("wb")
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "storify_site", "worker",
         "-Q", ",".join(real_worker.QUEUES),
         "--pool", "prefork", "-c", "1", "-n", real_worker.NODE, "--without-gossip",
         "--without-mingle", "--loglevel", "INFO"],
        cwd=ROOT, env=test_environment, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        if not real_worker.wait_until_ready(lambda: worker.poll() is not None):
            pytest.fail(f"The worker did not start:\n{Path(log.name).read_text()[-4000:]}")
        request.config.stash[real_worker.RUNNING] = True
        yield worker
    finally:
        worker.terminate()
        worker.wait(timeout=30)
        log.close()
