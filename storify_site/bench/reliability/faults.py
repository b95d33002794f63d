"""Faults of a site's parts: killed, frozen, a full disk, a full queue. Each heals after a while."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from storify_site.bench.site import Site
from storify_site.local import postgres, redis
from storify_site.local.common import EmbeddedError

DISK_BYTES = 256 << 20
# By name, what the command line of the part's processes has.
PARTS = {
    "web": "storify_site.serve",
    "models": "-Q inference",
    "jobs and beat": "-Q default,long",
    "videos": "-Q video",
    "Redis": "redis-server",
    "PostgreSQL": "postgres",
}
Fault = Callable[[], None]


def faults(site: Site, disk: Path | None, seconds: float) -> dict[str, Fault]:
    """Every fault by name; a full disk only if the media have a disk of their own.

    `seconds` is how long a part is frozen, or the disk or Redis full.
    """
    var = Path(site.environment["VAR_DIR"])
    found: dict[str, Fault] = {}
    for part in PARTS:
        found[f"{part} killed"] = lambda part=part: _kill(site, var, part)  # type: ignore[misc]
        found[f"{part} frozen"] = lambda part=part: _freeze(site, var, part, seconds)  # type: ignore[misc]
    found["Redis at its memory limit"] = lambda: _fill_redis(var, seconds)
    if disk:
        found["disk full"] = lambda: _fill_disk(disk, seconds)
    return found


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Give a folder a file system of its own, which can be filled; None without the right to."""
    folder.mkdir(parents=True, exist_ok=True)
    place = os.fspath(folder)
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "storify-chaos", place)
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            _run("umount", "--lazy", place)


def _run(program: str, *arguments: str) -> bool:
    path = shutil.which(program)
    return path is not None and not subprocess.run([path, *arguments], check=False).returncode


def _kill(site: Site, var: Path, part: str) -> None:
    """SIGKILL to all processes of a part. What isn't started by Storify is started again here."""
    for process in _processes(site, var, part):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    time.sleep(1)
    for name, service in (("Redis", redis), ("PostgreSQL", postgres)):
        while part == name and not _started(service.start, var):
            time.sleep(1)


def _started(start: Callable[[Path], None], var: Path) -> bool:
    try:
        start(var)
    except (EmbeddedError, subprocess.CalledProcessError):
        return False
    return True


def _freeze(site: Site, var: Path, part: str, seconds: float) -> None:
    frozen = _processes(site, var, part)
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


def _processes(site: Site, var: Path, part: str) -> list[psutil.Process]:
    """The processes of a part. Of the web server only those that serve: it starts them again."""
    if part == "PostgreSQL":
        pid = int((var / "postgres" / "postmaster.pid").read_text().split()[0])
        return [psutil.Process(pid)]
    if part == "Redis":
        return [one for one in psutil.process_iter() if _is_redis(one, var)]
    found = []
    for process in psutil.Process(site.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if PARTS[part] in command and not command.startswith("/bin/sh"):
                found.append(process)
    if part == "web":
        masters = {one.pid for one in found}
        return [one for one in found if one.ppid() in masters]
    return found


def _is_redis(process: psutil.Process, var: Path) -> bool:
    try:
        command = " ".join(process.cmdline())
        return "redis-server" in command and process.cwd() == os.fspath(var / "redis")
    except psutil.Error:
        return False


def _fill_redis(var: Path, seconds: float) -> None:
    client = redis.client(var)
    client.config_set("maxmemory", client.info("memory")["used_memory"])
    time.sleep(seconds)
    redis.client(var).config_set("maxmemory", 0)


def _fill_disk(folder: Path, seconds: float) -> None:
    ballast = folder / "ballast"
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass
        time.sleep(seconds)
    finally:
        ballast.unlink()
