"""The local PostgreSQL and Redis: started once, shared, stopped by the last user."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from storify_site import local


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="se-", dir="/tmp") as folder:
        monkeypatch.setenv("VAR_DIR", folder)
        yield Path(folder)


def test_lease_starts_both_and_stops_both(var: Path) -> None:
    with local.lease():
        assert local.postgres.running(var)
        assert local.redis.running(var)

    assert not local.postgres.running(var)
    assert not local.redis.running(var)


def test_inner_lease_leaves_the_services_to_the_outer_one(var: Path) -> None:
    with local.lease():
        with local.lease():
            pass
        assert local.postgres.running(var)
        assert local.redis.running(var)


def test_data_outlives_a_restart(var: Path) -> None:
    with local.lease():
        redis.Redis.from_url(local.redis.cache_url(var)).set("kept", "yes")
        with psycopg.connect(local.postgres.url(var)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'yes' AS word")

    with local.lease():
        assert redis.Redis.from_url(local.redis.cache_url(var)).get("kept") == b"yes"
        with psycopg.connect(local.postgres.url(var)) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("yes",)


def test_start_after_a_lost_machine_ignores_the_old_marker(var: Path) -> None:
    with local.lease():
        pass
    # The process id of somebody else, as after a power cut.
    (var / "postgres" / "postmaster.pid").write_text("1\n/elsewhere\n0\n5432\n\n\n\nready\n")

    with local.lease():
        assert local.postgres.running(var)


def test_start_after_a_kill_does_not_wait_for_the_zombie(var: Path, tmp_path: Path) -> None:
    with local.lease():
        pass
    program = shutil.copy(shutil.which("true") or "", tmp_path / "postgres")
    killed = subprocess.Popen([program])
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)  # ended, but not collected
    (var / "postgres" / "postmaster.pid").write_text(f"{killed.pid}\n/elsewhere\n")

    with local.lease():
        assert local.postgres.running(var)
    killed.wait()


def test_configured_services_are_left_alone(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/storify")
    monkeypatch.setenv("REDIS_URL", "redis://queue.example")

    with local.lease():
        assert list(var.iterdir()) == []


def test_long_path_gets_a_socket_with_a_short_one(tmp_path: Path) -> None:
    deep = tmp_path / ("a-long-name" * 10)

    assert len(local.postgres.url(deep).partition("host=")[2]) < 100
    assert len(local.redis.cache_url(deep)) < 100
    assert local.postgres.url(deep) != local.postgres.url(deep / "other")


def test_vector_extension_is_there(var: Path) -> None:
    with local.lease(), psycopg.connect(local.postgres.url(var)) as connection:
        connection.execute("CREATE EXTENSION vector")
        version = connection.execute("SHOW server_version_num").fetchone()

    assert version is not None
    assert int(version[0]) >= 180000
