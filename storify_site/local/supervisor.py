"""`make run`: everything from nothing to a site that answers, and everything off again at the end.

The parts run under honcho, each in its own process group. When one of them ends, or on Ctrl-C or
SIGTERM, all of them are stopped, the local database and Redis last.
"""

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
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from types import FrameType
from typing import Any

from honcho.manager import Manager

READY_SECONDS = 120.0
# On a machine of one's own, often a container, running as root is nothing to warn about.
QUIETER = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
}
BASE_DIR = Path(__file__).resolve().parent.parent.parent


class StartError(Exception):
    """Why the site cannot start, in one sentence for the person who tried."""


class Parts(Manager):  # type: ignore[misc]
    """honcho's manager, made safe against a stop before every part has told its process id."""

    stop_wanted = False

    def terminate(self) -> None:
        self.stop_wanted = True
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        return self.stop_wanted or bool(super()._any_stopped())


def main() -> int:
    """Run the site until it is told to stop; the exit status is 0 then."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")
    # Until the parts run, a SIGTERM is what Ctrl-C is: leave, and switch off on the way out.
    signal.signal(signal.SIGTERM, _interrupt)
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
    """PORT, from the environment or .env."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        port: int = settings.PORT
    except ImproperlyConfigured as reason:
        raise StartError(str(reason)) from None
    return port


def ensure_port_is_free(port: int) -> None:
    """Raise StartError when something else already listens there."""
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
    """Two sites on the same data would do every periodic job twice."""
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


FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""Else every thread keeps memory of its own for photos long gone."""


def _parts(port: int) -> Parts:
    python = quote(sys.executable)
    celery = (
        f"{python} -m celery --quiet -A storify_site worker -c 1 --without-gossip --without-mingle"
    )
    beat = quote(os.fspath(_var() / "celerybeat-schedule"))
    parts = Parts()
    _add(parts, "web", f"exec {python} -m storify_site.serve", PORT=str(port), **FEW_ARENAS)
    models = f"{celery} -Q inference -n models@%h --loglevel INFO"
    _add(parts, "models", _again_after_a_crash(models), **FEW_ARENAS)
    jobs = f"{celery} -Q default -n jobs@%h -B -s {beat} --loglevel WARNING"
    _add(parts, "jobs", _again_after_a_crash(jobs))
    return parts


def _add(parts: Parts, name: str, command: str, **environment: str) -> None:
    env = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, **QUIETER, **environment}
    parts.add_process(name, command, env=env, cwd=os.fspath(BASE_DIR))


def _again_after_a_crash(command: str) -> str:
    return f"until {command}; do echo 'This process crashed; restarting it.'; sleep 2; done"


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
    """How far the models are, once the site is ready; "" before that."""
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
    """Tell the person at the terminal, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(_signal: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
