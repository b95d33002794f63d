"""Embedded PostgreSQL and Redis from Python wheels, with their data under VAR_DIR.

They listen on Unix sockets only: nothing on the network can reach them, and no port is needed. Each
process that uses them holds a lease; they stop with the last lease.
"""

import fcntl
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from storify_site.local import postgres, redis

BASE_DIR = Path(__file__).resolve().parent.parent.parent


Action = Callable[[Path], None]


def var_dir() -> Path:
    """The folder for everything that a local site writes: VAR_DIR, else `var/` in the checkout."""
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()


def local_secret(var: Path) -> str:
    """A secret key generated once per machine, so that sessions survive a restart."""
    path = var / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # fails if another process was first; its key wins
        finally:
            draft.unlink()
    return path.read_text().strip()


@contextmanager
def lease() -> Iterator[None]:
    """Keep PostgreSQL and Redis running during the block, unless an external one is configured."""
    with (
        _shared("redis", redis.start, redis.stop, wanted="REDIS_URL"),
        _shared("postgres", postgres.start, postgres.stop, wanted="DATABASE_URL"),
    ):
        yield


@contextmanager
def _shared(name: str, start: Action, stop: Action, *, wanted: str) -> Iterator[None]:
    """Start a service with the first lease and stop it with the last."""
    if os.environ.get(wanted):
        yield
        return
    var = var_dir()
    var.mkdir(parents=True, exist_ok=True)
    with (var / f"{name}.lease").open("w") as lease_file:
        try:
            with undisturbed(), _gate(var, name):
                fcntl.flock(lease_file, fcntl.LOCK_SH)
                start(var)
            yield
        finally:
            with undisturbed(), _gate(var, name):
                if _last_holder(lease_file):
                    stop(var)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Defer Ctrl-C and SIGTERM until the end of the block, which should be short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in came[:1]:
        signal.raise_signal(number)


@contextmanager
def _gate(var: Path, name: str) -> Iterator[None]:
    with (var / f"{name}.gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _last_holder(lease_file: IO[str]) -> bool:
    try:
        fcntl.flock(lease_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
