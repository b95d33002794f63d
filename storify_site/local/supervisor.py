"""`make run`: starts the database, Redis, the web server and the workers, and stops them again.

The processes run under honcho, each in its own process group. When one exits, or on Ctrl-C or
SIGTERM, all are stopped, the local database and Redis last. If this process itself is killed, they
stop as well; database and Redis then run on until the next site on the same data stops them.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.process import Process

READY_SECONDS = 120.0
KILL_SECONDS = 5.0
PR_SET_PDEATHSIG = 1  # of linux/prctl.h: the signal that a process gets when its parent dies
# Running as root is common on local machines and in containers.
QUIETER = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
}
BASE_DIR = Path(__file__).resolve().parent.parent.parent


stop_asked = threading.Event()
"""Set by a signal that comes before the processes run."""


class StartError(Exception):
    """The site can't start; the message says why."""


class Part(Process):  # type: ignore[misc]
    """honcho's process, which doesn't outlive the supervisor."""

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        if sys.platform == "linux":
            signal.signal(signal.SIGUSR1, self._end)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
        super().run(events, ignore_signals)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        group = self._child.pid
        with suppress(ProcessLookupError):  # all have gone
            os.killpg(group, signal.SIGTERM)
            deadline = time.monotonic() + KILL_SECONDS
            while time.monotonic() < deadline:
                self._child.poll()
                os.killpg(group, 0)
                time.sleep(0.05)
            os.killpg(group, signal.SIGKILL)
        os._exit(1)  # honcho would report the end to the supervisor, which is gone


class Parts(Manager):  # type: ignore[misc]
    """honcho's manager, made safe against a stop before every process has reported its id."""

    stop_wanted = False

    def __init__(self) -> None:
        super().__init__()
        self._process_ctor = Part

    def terminate(self) -> None:
        self.stop_wanted = True
        if self._all_started():
            super().terminate()

    def _start(self) -> None:
        if stop_asked.is_set():  # and the exception was lost: Python drops those of finalizers
            raise KeyboardInterrupt
        super()._start()

    def _any_stopped(self) -> bool:
        return self.stop_wanted or bool(super()._any_stopped())


def main() -> int:
    """Run the site until it's told to stop. Returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")
    # Until the processes run, both signals stop the services and exit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        return _run()
    except StartError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    except KeyboardInterrupt:
        say("Stopped before Storify was up.")
        return 0


def _run() -> int:
    from storify_site import local

    port = port_to_use()
    ensure_port_is_free(port)
    started = time.monotonic()
    with only_one(local.var_dir()):
        say("Starting the database and the queue …")
        with local.lease():
            _prepare()
            parts = _parts(port)
            _announce_when_ready(port, started, parts)
            parts.loop()
            say("Stopping the database and the queue …")
    if parts.returncode in {130, 143}:
        say("Storify has stopped.")
        return 0
    say("A part of Storify crashed, so everything was stopped; see above.")
    return 1


def port_to_use() -> int:
    """PORT from the environment or `.env`. Raises StartError for invalid settings."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        port: int = settings.PORT
    except ImproperlyConfigured as reason:
        raise StartError(str(reason)) from None
    return port


def ensure_port_is_free(port: int) -> None:
    """Raise StartError if the port is in use."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StartError(
                f"Port {port} is already in use. Stop what's running there, or choose another "
                f"port, for example: PORT={port + 1} make run."
            ) from None


@contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Lock the data folder: two sites on it would run every periodic task twice.

    Raises StartError if another site holds the lock.
    """
    var.mkdir(parents=True, exist_ok=True)
    with (var / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"Storify is already running on the data in {var}. Stop it first, or set VAR_DIR."
            ) from None
        yield


def _prepare() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    say("Migrating the database …")
    call_command("migrate", interactive=False, verbosity=0)
    if settings.DEMO:
        say("Loading the demo data …")
        call_command("load_demo_data", verbosity=0)
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)
    connections.close_all()


MALLOC_SETTINGS = {"MALLOC_ARENA_MAX": "2"}
"""Keeps malloc from holding freed memory in an arena per thread."""


def _parts(port: int) -> Parts:
    python = quote(sys.executable)
    celery = f"{python} -m celery --quiet -A storify_site worker --without-gossip --without-mingle"
    beat = quote(os.fspath(_var() / "celerybeat-schedule"))
    parts = Parts()
    _add(parts, "web", f"exec {python} -m storify_site.serve", PORT=str(port), **MALLOC_SETTINGS)
    models = f"{celery} -Q inference -c 1 -n models@%h --loglevel INFO"
    _add(parts, "models", _yielding(_restarting(models)), **MALLOC_SETTINGS)
    jobs = f"{celery} -Q default,long -c 2 -n jobs@%h -B -s {beat} --loglevel WARNING"
    _add(parts, "jobs", _restarting(jobs))
    videos = f"{celery} -Q video -n videos@%h --loglevel WARNING"
    _add(parts, "videos", _yielding(_restarting(videos)), **MALLOC_SETTINGS)
    return parts


def _add(parts: Parts, name: str, command: str, **environment: str) -> None:
    env = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, **QUIETER, **environment}
    parts.add_process(name, command, env=env, cwd=os.fspath(BASE_DIR))


def _restarting(command: str) -> str:
    return f"until {command}; do echo 'This process crashed; restarting it.'; sleep 2; done"


def _yielding(command: str) -> str:
    """Let pages go before analyses and videos where there are too few cores for all.

    Each part is a session of its own, and Linux may weigh sessions, not processes, by a priority.
    Not by more: another busy program would leave too little for loading the models.
    """
    lower = "{ renice -n 5 -p $$; echo 5 > /proc/self/autogroup; } > /dev/null 2>&1"
    return f"{lower}; {command}"


def _var() -> Path:
    from storify_site import local

    return local.var_dir()


def _announce_when_ready(port: int, started: float, parts: Parts) -> None:
    def wait() -> None:
        while time.monotonic() - started < READY_SECONDS and not parts.stop_wanted:
            if state := _models_state(port):
                say(_welcome(port, time.monotonic() - started, state))
                return
            time.sleep(0.1)

    threading.Thread(target=wait, daemon=True).start()


def _models_state(port: int) -> str:
    """The state of the models once the site is ready; "" before."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return str(json.load(reply)["models"]["state"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return ""


def _welcome(port: int, seconds: float, models: str) -> str:
    from django.conf import settings

    lines = [f"Storify is at http://127.0.0.1:{port} (up after {seconds:.0f} s; Ctrl-C stops it)."]
    if settings.DEMO:
        lines.append("Sign in as demo@storify.test with the password storify-demo, or sign up.")
    if models != "ready":
        lines.append("The models are still loading; the first photo will wait for them.")
    return "\n".join(["", *lines, ""])


def say(text: str) -> None:
    """Print a line to the terminal and flush."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(_signal: int, _frame: FrameType | None) -> Any:
    stop_asked.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
