"""Reads each upload in a separate process, with limits on memory, time and files.

A process that accepts uploads starts one fork server: by exec, because a process with threads must
not fork, and with a minimal environment. The server loads the decoders, stays single-threaded and
forks a child for each upload. The caller names a folder from which the child reads the upload and
into which it writes the result; metadata is returned through a socket. A child that exceeds a limit
is killed by the kernel, and its file is refused. The server exits with its caller, a child after
WALL_SECONDS.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image

from stories.errors import UploadsBusyError
from stories.uploads.photos import TOO_COSTLY, CleanPhoto, UploadError, read_photo
from stories.uploads.videos import MAX_VIDEO_BYTES, check_tables, kind_of, read_video

UPLOAD, PHOTO, THUMBNAIL = "upload", "photo.jpg", "thumbnail.jpg"

# Additional memory in bytes and CPU time in seconds: for reading a video's tables, for copying a
# video and decoding a 4K frame, and for decoding a picture of 50 megapixels.
TABLES = (64 << 20, 0.5)
VIDEO = (400 << 20, 4.0)
PICTURE = (900 << 20, 4.5)
# Only reached if the machine is overloaded; the limits on CPU time are lower.
WALL_SECONDS = 20
MAX_FILE_BYTES = MAX_VIDEO_BYTES + (16 << 20)
MAX_FILES = 16
START_SECONDS = 60.0
MESSAGE_BYTES = 4096
_READY = b"+"
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
# One thread, so that forking is safe and memory is measured exactly.
_SET = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

logger = logging.getLogger(__name__)


class SandboxError(Exception):
    """The sandbox itself failed, not the file."""


# --- Caller ---------------------------------------------------------------------------------------


class Sandbox:
    """Reads each upload in its own fork; safe to use from many threads and after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _ForkServer | None = None

    def start(self) -> None:
        """Start the server now, so that the first upload doesn't wait for it."""
        self._running()

    def read(self, folder: Path) -> dict[str, Any]:
        """Clean `folder/upload` into files beside it and return their metadata.

        Raises UploadError if the file is refused, UploadsBusyError and SandboxError.
        """
        reply = self._ask(folder)
        if reply == _READY:
            logger.warning("refused an upload that took too much memory or time")
            raise UploadError("too_costly", TOO_COSTLY)
        result: dict[str, Any] = json.loads(reply[1:])
        if "refused" in result:
            raise UploadError(*result["refused"])
        if "failed" in result:
            raise SandboxError(result["failed"])
        return result

    def _ask(self, folder: Path) -> bytes:
        """Return a child's reply; if the server has died, start another one."""
        for _ in range(2):
            server = self._running()
            if reply := server.ask(folder):
                return reply
            self._give_up(server)
        raise SandboxError("no process could be started")

    def _running(self) -> _ForkServer:
        with self._lock:
            if self._server is None or self._server.owner != os.getpid():
                self._server = _ForkServer()
            return self._server

    def _give_up(self, server: _ForkServer) -> None:
        logger.error("the process that reads uploads has died; starting another one")
        server.stop()
        with self._lock:
            if self._server is server:
                self._server = None


class _ForkServer:
    def __init__(self) -> None:
        self.owner = os.getpid()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stories.uploads.sandbox"],
                stdin=theirs.fileno(),
                cwd=Path(__file__).resolve().parents[2],
                env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_SET},
                start_new_session=True,  # Ctrl-C is for the caller, with whom the server ends
            )
        self._control.settimeout(START_SECONDS)
        if self._control.recv(1) != _READY:
            raise SandboxError("the server did not start")

    def ask(self, folder: Path) -> bytes:
        """Return everything that a child sends; empty if none was started."""
        ours, theirs = socket.socketpair()
        with ours:
            ours.settimeout(WALL_SECONDS + 1)
            with theirs, contextlib.suppress(OSError):
                socket.send_fds(self._control, [_message(folder)], [theirs.fileno()])
            try:
                return b"".join(iter(lambda: ours.recv(1 << 16), b""))
            except TimeoutError as error:
                raise UploadsBusyError from error

    def stop(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()


def _message(folder: Path) -> bytes:
    """Pad to a fixed length, which separates messages."""
    return os.fsencode(folder).ljust(MESSAGE_BYTES, b"\0")


# --- Server ---------------------------------------------------------------------------------------


def serve(control: socket.socket) -> None:
    """Fork a child for each folder received, until the caller exits."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(_READY)
    while True:
        message, descriptors, *_ = socket.recv_fds(control, MESSAGE_BYTES, 1, socket.MSG_WAITALL)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _child(Path(os.fsdecode(message.rstrip(b"\0"))), socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])


def _child(folder: Path, reply: socket.socket) -> NoReturn:
    try:
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
        reply.sendall(_READY)
        reply.sendall(json.dumps(_answer(folder)).encode())
    finally:
        os._exit(0)


def _answer(folder: Path) -> dict[str, Any]:
    try:
        return _clean(folder)
    except UploadError as error:
        return {"refused": (error.code, str(error))}
    except MemoryError:
        return {"refused": ("too_costly", TOO_COSTLY)}
    except Exception as error:
        logger.exception("reading an upload failed")
        return {"failed": type(error).__name__}


def _clean(folder: Path) -> dict[str, Any]:
    with (folder / UPLOAD).open("rb") as upload:
        kind = kind_of(upload)
        if kind is None:
            _allow(*PICTURE)
            return _keep(read_photo(upload), folder)
        _allow(*TABLES)
        check_tables(upload, kind)
        _allow(*VIDEO)
        video = read_video(upload, kind, folder)
        return {**_keep(video.poster, folder), "kind": kind, "seconds": video.seconds}


def _keep(photo: CleanPhoto, folder: Path) -> dict[str, Any]:
    (folder / PHOTO).write_bytes(photo.jpeg)
    (folder / THUMBNAIL).write_bytes(photo.thumbnail)
    return {"width": photo.width, "height": photo.height}


def _allow(memory: int, seconds: float) -> None:
    """Limit additional memory and CPU time of this process."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    with contextlib.suppress(FileNotFoundError):  # macOS has no such file and ignores this limit
        status = Path("/proc/self/status").read_text()
        used = int(status.partition("VmData:")[2].split()[0]) * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory, hard))


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    Image.init()  # otherwise every child would load Pillow's formats
    serve(socket.socket(fileno=sys.stdin.fileno()))
