"""Reads each upload in a process of its own, with limits on memory, time and files.

Whoever reads uploads, the web process or a worker, starts one fork server: by exec, because a
process with threads must not fork, and with a bare environment. It has the decoders loaded, stays
at one thread, and forks a child for each job. The caller names a folder in which the child finds
the upload and leaves the result; signs of progress and a few words come back through a socket. A
child that takes too much is killed by the kernel, and its file is refused. The server ends with its
caller, a child after the job's time.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image

from ml.video import VideoUnreadable, sample
from stories.errors import NO_SPACE, UploadsBusyError
from stories.uploads.photos import TOO_COSTLY, CleanPhoto, UploadError, read_photo
from stories.uploads.transcoding import transcode
from stories.uploads.videos import DAMAGED, MAX_VIDEO_BYTES, check_tables, kind_of, read_video

UPLOAD, PHOTO, THUMBNAIL, VIDEO = "upload", "photo.jpg", "thumbnail.jpg", "video.mp4"
FRAME = "{}.ppm"  # written and read much faster than a PNG

# Memory beyond what the server has, in bytes, and processor time in seconds: to read what a video
# says about itself, then to look at its packets and decode a frame of 4K; to decode 50 megapixels;
# to decode the frames that are analysed, and a minute of 4K in slow motion.
TABLES = (64 << 20, 0.5)
POSTER = (900 << 20, 4.0)
PICTURE = (900 << 20, 4.5)
FRAMES = (900 << 20, 60.0)
ENCODING = (900 << 20, 1200.0)
# Longer than any processor time takes, unless the machine has too much to do.
WALL_SECONDS = 20
FRAMES_WALL_SECONDS = 90
ENCODING_WALL_SECONDS = 1800
# Without progress of a worker's job.
SILENT_SECONDS = 60
MAX_FILE_BYTES = MAX_VIDEO_BYTES + (16 << 20)
MAX_FILES = 16
START_SECONDS = 60.0
MESSAGE_BYTES = 4096
PROGRESS_SECONDS = 1.0
_READY, _PROGRESS = b"+", b"."
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
# One thread, so that forking is safe; memory of threads and of decoders is counted as it is used.
_SET = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

logger = logging.getLogger(__name__)


class SandboxError(Exception):
    """The sandbox itself failed, not the file."""


# --- the caller's side ----------------------------------------------------------------------------


class Sandbox:
    """Reads uploads one fork each; safe to use from many threads and after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _ForkServer | None = None

    def start(self) -> None:
        """Start the server now, so that the first upload need not wait for it."""
        self._running()

    def read(self, folder: Path) -> dict[str, Any]:
        """Clean or check `folder/upload`, leave a JPEG and a thumbnail beside it; say what it is.

        Raises UploadError for a file that is refused, UploadsBusyError, SandboxError, and OSError
        for a full disk.
        """
        return self._run("read", folder)

    def sample(self, folder: Path, on_progress: Callable[[], None]) -> list[float]:
        """Leave the frames of the video `folder/upload` beside it, and say when they are shown."""
        times: list[float] = self._run("sample", folder, on_progress)["times"]
        return times

    def transcode(self, folder: Path, on_progress: Callable[[], None]) -> None:
        """Encode the video `folder/upload` anew, into `folder/video.mp4`."""
        self._run("transcode", folder, on_progress)

    def _run(
        self, job: str, folder: Path, on_progress: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        reply = self._ask(job, folder, on_progress)
        if reply == _READY:
            logger.warning("refused an upload that took too much memory or time")
            raise UploadError("too_costly", TOO_COSTLY)
        result: dict[str, Any] = json.loads(reply[1:])
        if "refused" in result:
            raise UploadError(*result["refused"])
        if "no_space" in result:
            raise OSError(result["no_space"], os.strerror(result["no_space"]))
        if "failed" in result:
            raise SandboxError(result["failed"])
        return result

    def _ask(self, job: str, folder: Path, on_progress: Callable[[], None]) -> bytes:
        """Return a child's reply; if the server died before that, try another server."""
        for _ in range(2):
            server = self._running()
            if reply := server.ask(job, folder, on_progress):
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

    def ask(self, job: str, folder: Path, on_progress: Callable[[], None]) -> bytes:
        """Everything that a child says, without its progress; nothing at all if there was none."""
        ours, theirs = socket.socketpair()
        with ours:
            ours.settimeout((WALL_SECONDS if job == "read" else SILENT_SECONDS) + 1)
            with theirs, contextlib.suppress(OSError):
                socket.send_fds(self._control, [_message(job, folder)], [theirs.fileno()])
            reply = b""
            try:
                while part := ours.recv(1 << 16):
                    reply, progressed = _without_progress(reply + part)
                    if progressed:
                        on_progress()
            except TimeoutError as error:
                raise UploadsBusyError from error
            return reply

    def stop(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()


def _without_progress(reply: bytes) -> tuple[bytes, bool]:
    """Drop the progress before the answer, which never starts with it; say if there was any."""
    ready, answer = reply[:1], reply[1:].lstrip(_PROGRESS)
    return ready + answer, len(ready + answer) < len(reply)


def _message(job: str, folder: Path) -> bytes:
    """All of one length, so that two of them never run together."""
    return (job.encode() + b":" + os.fsencode(folder)).ljust(MESSAGE_BYTES, b"\0")


# --- the server's side ----------------------------------------------------------------------------


def serve(control: socket.socket) -> None:
    """Fork a child for each folder that comes, until the caller has gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(_READY)
    while True:
        message, descriptors, *_ = socket.recv_fds(control, MESSAGE_BYTES, 1, socket.MSG_WAITALL)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            job, _, folder = message.rstrip(b"\0").partition(b":")
            reply = socket.socket(fileno=descriptors[0])
            _child(_JOBS[job.decode()], Path(os.fsdecode(folder)), reply)
        os.close(descriptors[0])


@dataclass(frozen=True)
class _Job:
    """What a child does in a folder, reporting its progress, and how many seconds it may take."""

    work: Callable[[Path, Callable[[], None]], dict[str, Any]]
    seconds: float


def _child(job: _Job, folder: Path, reply: socket.socket) -> NoReturn:
    try:
        signal.setitimer(signal.ITIMER_REAL, job.seconds)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
        tempfile.tempdir = os.fspath(folder)  # removed with it, however this ends
        reply.sendall(_READY)
        reply.sendall(json.dumps(_answer(job, folder, _progress_into(reply))).encode())
    finally:
        os._exit(0)


def _progress_into(reply: socket.socket) -> Callable[[], None]:
    told = time.monotonic()

    def tell() -> None:
        nonlocal told
        if time.monotonic() > told + PROGRESS_SECONDS:
            told = time.monotonic()
            reply.sendall(_PROGRESS)

    return tell


def _answer(job: _Job, folder: Path, on_progress: Callable[[], None]) -> dict[str, Any]:
    try:
        return job.work(folder, on_progress)
    except UploadError as error:
        return _no_space(error.__cause__) or {"refused": (error.code, str(error))}
    except BrokenPipeError:
        raise  # nobody wants the result any longer
    except VideoUnreadable:
        return {"refused": ("unreadable", DAMAGED)}
    except MemoryError:
        return {"refused": ("too_costly", TOO_COSTLY)}
    except Exception as error:
        logger.exception("reading an upload failed")
        return _no_space(error) or {"failed": type(error).__name__}


def _no_space(error: BaseException | None) -> dict[str, Any]:
    """What to say of a full disk, which is no fault of the file; else nothing."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return {"no_space": error.errno}
    return {}


def _read(folder: Path, _on_progress: Callable[[], None]) -> dict[str, Any]:
    with (folder / UPLOAD).open("rb") as upload:
        _allow(*TABLES)
        kind = kind_of(upload)
        if kind is None:
            _allow(*PICTURE)
            return _keep(read_photo(upload), folder)
        check_tables(upload, kind)
        _allow(*POSTER)
        video = read_video(upload, kind)
        return {**_keep(video.poster, folder), "kind": kind, "seconds": video.seconds}


def _sample(folder: Path, on_progress: Callable[[], None]) -> dict[str, Any]:
    _allow(*FRAMES)
    with (folder / UPLOAD).open("rb") as upload:
        frames = sample(upload, _known(kind_of(upload)), on_progress=on_progress)
    for number, frame in enumerate(frames):
        frame.picture.save(folder / FRAME.format(number))
    return {"times": [frame.at for frame in frames]}


def _transcode(folder: Path, on_progress: Callable[[], None]) -> dict[str, Any]:
    _allow(*ENCODING)
    os.nice(10)  # somebody may be waiting for an analysis
    with (folder / UPLOAD).open("rb") as upload:
        transcode(upload, _known(kind_of(upload)), folder / VIDEO, on_progress)
    return {}


def _known(kind: str | None) -> str:
    if kind is None:
        raise VideoUnreadable("it isn't a video")
    return kind


_JOBS = {
    "read": _Job(_read, WALL_SECONDS),
    "sample": _Job(_sample, FRAMES_WALL_SECONDS),
    "transcode": _Job(_transcode, ENCODING_WALL_SECONDS),
}


def _keep(photo: CleanPhoto, folder: Path) -> dict[str, Any]:
    (folder / PHOTO).write_bytes(photo.jpeg)
    (folder / THUMBNAIL).write_bytes(photo.thumbnail)
    return {"width": photo.width, "height": photo.height}


def _allow(memory: int, seconds: float) -> None:
    """Let this process take so much more memory and processor time, and end it after that."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    with contextlib.suppress(FileNotFoundError):  # macOS has no such file and keeps no such limit
        status = Path("/proc/self/status").read_text()
        used = int(status.partition("VmData:")[2].split()[0]) * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory, hard))


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    Image.init()  # else every child would load Pillow's formats for itself
    gc.freeze()  # keeps memory shared after a fork: garbage collection would write to it
    serve(socket.socket(fileno=sys.stdin.fileno()))
