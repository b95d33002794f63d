"""A separate site for benchmarks, started and stopped as with `make run` and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

BASE_DIR = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 300.0


@dataclass
class Site:
    """A running site and its processes."""

    url: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    start_seconds: float

    def memory(self) -> dict[str, float]:
        """Resident megabytes of the largest web process and the largest inference process."""
        web, worker = [0.0], [0.0]
        for child in psutil.Process(self.process.pid).children(recursive=True):
            command = " ".join(child.cmdline())
            megabytes = child.memory_info().rss / 1e6
            if "storify_site.serve" in command:
                web.append(megabytes)
            elif "-Q inference" in command and "until" not in command:
                worker.append(megabytes)
        return {"web_mb": max(web), "worker_mb": max(worker)}


def own_environment(var: Path, port: int) -> dict[str, str]:
    """The environment of a site in `var`, independent of this machine's configuration."""
    foreign = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SITE_URL", "SPOTIFY_CLIENT_ID"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {
        **kept,
        "ENV_FILE": os.devnull,
        "VAR_DIR": os.fspath(var),
        "DEBUG": "1",
        "PORT": str(port),
        "API_RATE": "1000000/min",
        "STORIES_UPLOAD_RATE": "1000000/min",
        "DJANGO_SETTINGS_MODULE": "storify_site.settings",
    }


@contextmanager
def running_site(environment: dict[str, str]) -> Iterator[Site]:
    """Start a site, wait until it responds, and stop it at the end of the block."""
    url = f"http://127.0.0.1:{environment['PORT']}"
    started = time.monotonic()
    log = Path(environment["VAR_DIR"]) / "site.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "storify_site.local.supervisor"],
            cwd=BASE_DIR,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, url, log)
        yield Site(url, environment, process, round(time.monotonic() - started, 2))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _first_page(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The site didn't start:\n{log.read_text()[-4000:]}")
        time.sleep(0.1)


def _first_page(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10, follow_redirects=True).is_success
    except httpx.HTTPError:
        return False


def manage_measured(environment: dict[str, str], *arguments: str) -> tuple[str, float]:
    """Run a management command; return its last line of output and its peak memory in MB."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    with process.stdout as out:
        printed = out.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"manage.py {arguments[0]} failed.")
    return printed.strip().rpartition("\n")[2], usage.ru_maxrss * 1024 / 1e6


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a management command; return its last line of output."""
    return manage_measured(environment, *arguments)[0]
