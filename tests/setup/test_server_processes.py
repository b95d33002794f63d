"""The web server as real processes, started as `make run` and deployments start it."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from storify_site.local.free_port import free_port
from tests.setup.test_server import HALF_BODY, HALF_HEAD, WAIT

ROOT = Path(__file__).resolve().parent.parent.parent


def get(port: int, path: str) -> tuple[int, float]:
    """The status, and the seconds until it came."""
    started = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", path)
        return client.getresponse().status, time.monotonic() - started


@pytest.fixture
def real_site(test_environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The web server as `make run` and deployments start it, with two processes, and its port."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "storify_site.serve"],
        cwd=ROOT,
        env={**test_environment, "PORT": str(port), "WEB_PROCESSES": "2"},
    ) as process:
        while process.poll() is None:
            try:
                get(port, "/accounts/sign-in/")
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield process, port
        process.terminate()


@pytest.mark.django_db(transaction=True)
def test_real_site_outlives_half_sent_requests_and_a_killed_process_and_ends_when_told(
    real_site: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = real_site
    workers = psutil.Process(process.pid).children()
    with ExitStack() as stack:
        for half in [HALF_HEAD, HALF_BODY] * 20:
            client = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
            stack.enter_context(client).sendall(half)
        status, seconds = min(get(port, "/accounts/sign-in/") for _ in range(4))
        assert status == 200
        assert seconds < WAIT
        workers[0].kill()
        workers[0].wait(WAIT)
        assert get(port, "/healthz")[0] == 200
        while len(psutil.Process(process.pid).children()) < 2:
            assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.django_db(transaction=True)
def test_real_site_that_is_stopped_before_it_has_replaced_a_process_ends_without_another(
    real_site: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, _ = real_site
    supervisor = psutil.Process(process.pid)
    killed, other = supervisor.children()
    killed.kill()
    while killed.status() != psutil.STATUS_ZOMBIE:  # until it's replaced, a second later
        pass
    process.terminate()
    with suppress(psutil.NoSuchProcess):
        while process.poll() is None:
            assert {*supervisor.children()} <= {killed, other}
    assert process.wait(timeout=20) == 0


@pytest.mark.django_db(transaction=True)
def test_real_site_reads_files_where_it_takes_them(
    real_site: tuple[subprocess.Popen[bytes], int],
) -> None:
    for path in ("/stories/new/", "/api/v1/stories/", "/tracks/library/import/"):
        address = f"http://127.0.0.1:{real_site[1]}{path}"
        reply = httpx.post(address, files={"file": ("x", bytes(5_000_000))}, timeout=WAIT)
        assert reply.status_code in {401, 403}, path  # nobody is signed in; and not 413
