"""Starting and stopping the whole site as `make run` does."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from storify_site.local.free_port import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 120
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="sr-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def start(var: Path) -> Iterator[Start]:
    """Start sites in this folder; stop what still runs at the end."""
    sites: list[subprocess.Popen[str]] = []

    def start_site(**environment: str) -> subprocess.Popen[str]:
        sites.append(_start(var, environment))
        return sites[-1]

    yield start_site
    for site in sites:
        if site.poll() is None:
            site.terminate()
            try:
                site.communicate(timeout=60)
            finally:
                site.kill()


def _start(var: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "storify_site.local.supervisor"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "VAR_DIR": str(var),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_ready(site: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and site.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    site.terminate()
    pytest.fail("The site did not start:\n" + "\n".join(site.communicate(timeout=60)))


def processes_of(var: Path) -> list[str]:
    """Command lines of every process that works on this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("VAR_DIR") == str(var) or str(var) in process.cmdline()
            mine = mine or any(str(var) in argument for argument in process.cmdline())
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_port_in_use_is_one_sentence_before_anything_starts(var: Path, start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        site = start(PORT=str(port))
        out, err = site.communicate(timeout=60)

    assert site.returncode == 1
    assert out == ""
    assert err == (
        f"Port {port} is already in use. Stop what's running there, or choose another "
        f"port, for example: PORT={port + 1} make run.\n"
    )
    assert {path.name for path in var.iterdir()} <= {"secret-key"}


def test_missing_secret_is_one_sentence_with_its_name(var: Path, start: Start) -> None:
    site = start(DATABASE_URL="postgresql://db.example/storify", SECRET_KEY="")
    _, err = site.communicate(timeout=60)

    assert site.returncode == 1
    assert err == "SECRET_KEY isn't set, but it's required when DEBUG is off.\n"


def test_second_site_on_the_same_data_is_refused(var: Path, start: Start) -> None:
    from storify_site.local.supervisor import only_one

    with only_one(var):
        site = start(PORT=str(free_port()))
        _, err = site.communicate(timeout=60)

    assert site.returncode == 1
    assert err.startswith("Storify is already running on the data in")


STUBBORN = """
from storify_site.local import supervisor
supervisor.KILL_SECONDS = 0.3
parts = supervisor.Parts()
parts.add_process("mild", "sleep 600 & sleep 600")
parts.add_process("stubborn", "trap '' TERM; sleep 600")
parts.loop()
"""


def test_processes_end_with_a_supervisor_that_is_killed(var: Path) -> None:
    parts = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(var)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: sum(line == "sleep 600" for line in processes_of(var)) == 3)
    finally:
        parts.kill()
        parts.wait()
    wait_until(lambda: processes_of(var) == [])


LOST = """
import os, signal, weakref
from storify_site.local import supervisor
class Thing: pass
def prepare():
    thing = Thing()
    weakref.finalize(thing, os.kill, os.getpid(), signal.%s)
    del thing  # the finalizer runs, and Python drops what the signal's handler raises in it
supervisor._prepare = prepare
raise SystemExit(supervisor.main())
"""


@pytest.mark.worker
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stop_whose_exception_is_lost_stops_before_any_part_runs(var: Path, name: str) -> None:
    site = subprocess.Popen(
        [sys.executable, "-c", LOST % name],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "VAR_DIR": str(var),
            "PORT": str(free_port()),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = site.communicate(timeout=60)

    assert site.returncode == 0, err
    assert "Exception ignored" in err
    assert out.endswith("Stopped before Storify was up.\n")
    assert processes_of(var) == []


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "It took too long."
        time.sleep(0.05)


@pytest.mark.worker
def test_run_serves_and_leaves_no_process_behind(var: Path, start: Start) -> None:
    port = free_port()
    site = start(PORT=str(port))
    wait_until_ready(site, port)
    running = " ".join(processes_of(var))
    os.killpg(site.pid, signal.SIGINT)  # what Ctrl-C does: everybody in the terminal gets it
    out, err = site.communicate(timeout=60)

    workers = ("-Q inference", "-Q default,long")
    for part in ("storify_site.serve", *workers, "postgres", "redis-server"):
        assert part in running
    assert site.returncode == 0, err
    assert f"Storify is at http://127.0.0.1:{port}" in out
    assert processes_of(var) == []


@pytest.mark.worker
@pytest.mark.parametrize("after_seconds", [0.3, 1.5, 4.0])
def test_stop_while_starting_leaves_no_process_behind(
    var: Path, start: Start, after_seconds: float
) -> None:
    site = start(PORT=str(free_port()))
    with pytest.raises(subprocess.TimeoutExpired):
        site.wait(timeout=after_seconds)
    site.terminate()
    site.communicate(timeout=60)

    assert processes_of(var) == []
