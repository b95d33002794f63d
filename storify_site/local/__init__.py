"""PostgreSQL and Redis for a machine that has neither, out of Python wheels, under VAR_DIR.

Both are reached through Unix sockets only, so nothing on the network can talk to them and no
port can be taken. Whoever needs them holds a lease; when the last lease is returned, they stop.
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
    """The folder of everything that a local run writes; VAR_DIR, else `var/` in the checkout."""
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()


def local_secret(var: Path) -> str:
    """A secret key made once for this machine, so that sessions and tokens outlive a restart."""
    path = var / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # fails when another process was first; its key counts
        finally:
            draft.unlink()
    return path.read_text().strip()


@contextmanager
def lease() -> Iterator[None]:
    """Keep the local services that are not configured elsewhere running while the block runs."""
    with (
        _shared("redis", redis.start, redis.stop, wanted="REDIS_URL"),
        _shared("postgres", postgres.start, postgres.stop, wanted="DATABASE_URL"),
    ):
        yield


@contextmanager
def _shared(name: str, start: Action, stop: Action, *, wanted: str) -> Iterator[None]:
    """Start a service for the first holder of a lease and stop it after the last."""
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
    """Put off Ctrl-C and SIGTERM for as long as the block runs, which should not be long."""
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
