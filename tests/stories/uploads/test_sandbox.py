"""Files that are made to take all memory or time, and a reader of uploads that dies."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from stories.errors import UploadsBusyError
from stories.models import Story
from stories.services import uploads as uploading
from stories.services.uploads import CleanUpload, read_upload, sandbox, upload_folder
from stories.uploads import sandbox as module
from stories.uploads.photos import UploadError
from tests.factories import make_photo_bytes, make_video_bytes

MOST_MB = 60.0
MOST_SECONDS = 5.0
VIDEO = make_video_bytes(seconds=0.5)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def claimed_samples(count: int) -> bytes:
    """An MP4 that says of itself that it has so many frames of a byte each."""
    data = bytearray(VIDEO)
    sizes, chunks = data.index(b"stsz"), data.index(b"stsc")
    data[sizes + 8 : sizes + 16] = struct.pack(">II", 1, count)
    data[chunks + 12 : chunks + 20] = struct.pack(">II", 1, count)
    return bytes(data)


def packed_header(megabytes: int) -> bytes:
    """A QuickTime header that unpacks to so much."""
    packer, size = zlib.compressobj(1), megabytes << 20
    packed = packer.compress(struct.pack(">I4sI4s", size, b"moov", size - 8, b"free"))
    packed += b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    header = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", size), packed))
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", header)


def many_fragments() -> bytes:
    return VIDEO + box(b"moof") * 500_000


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def wide_webp() -> bytes:
    return encoded(Image.new("RGB", (16383, 3051), "teal"), "WEBP", method=0, quality=10)


def grey_png() -> bytes:
    return encoded(Image.fromarray(np.full((7000, 7100), 0x8000, np.uint16)), "PNG")


@contextmanager
def growing_little() -> Iterator[None]:
    """This process, which is the web process here, never needs much more memory than before."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, started = megabytes("VmRSS"), time.monotonic()
    yield
    assert megabytes("VmHWM") - before < MOST_MB
    assert time.monotonic() - started < MOST_SECONDS


def megabytes(name: str) -> float:
    return int(Path("/proc/self/status").read_text().partition(name)[2].split()[1]) / 1024


def read(data: bytes) -> CleanUpload:
    return read_upload(io.BytesIO(data))


@pytest.fixture(autouse=True)
def started() -> None:
    sandbox.start()


@pytest.mark.parametrize(
    "bomb",
    [
        *(claimed_samples(1 << power) for power in (22, 24, 26, 30)),
        packed_header(megabytes=128),
        many_fragments(),
    ],
    ids=["4M samples", "16M", "64M", "1G", "packed header", "fragments"],
)
def test_a_video_that_needs_too_much_is_refused_in_words(bomb: bytes) -> None:
    assert len(bomb) < 5_000_000
    with growing_little(), pytest.raises(UploadError, match="too much memory or time") as refusal:
        read(bomb)
    assert refusal.value.code == "too_costly"
    assert read(make_photo_bytes()).photo.width == 64  # and the next one is read


def test_a_table_of_sixteen_million_samples_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(UploadError):
        read(claimed_samples(1 << 24))
    assert time.monotonic() - started < MOST_SECONDS
    assert module.TABLES[0] < 100 << 20  # what the process that reads tables may take


@pytest.mark.parametrize("make", [grey_png, wide_webp], ids=["16 bits", "wide WebP"])
def test_a_large_photo_takes_no_memory_of_the_web_process(make: Any) -> None:
    data = make()
    assert len(data) < 200_000
    with growing_little():
        clean = read(data)
    assert clean.photo.width * clean.photo.height < 8_000_000


def test_a_refusal_keeps_its_words(broker: Any) -> None:
    with pytest.raises(UploadError, match="This file is a TIFF") as refusal:
        read(b"II*\0...")
    assert refusal.value.code == "unsupported_type"


def test_nothing_is_left_of_an_upload(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read(VIDEO)
    for bad in (b"GIF89a...", claimed_samples(1 << 24), many_fragments()):
        with pytest.raises(UploadError):
            read(bad)
    assert not list(tmp_path.iterdir())


JOBS: dict[str, Callable[[Path], object]] = {
    module.THUMBNAIL: sandbox.read,
    module.FRAME.format(0): lambda folder: sandbox.sample(folder, lambda: None),
    module.VIDEO: lambda folder: sandbox.transcode(folder, lambda: None),
}


@pytest.mark.parametrize("written", JOBS)
def test_a_full_disk_is_said_to_be_full(written: str, tmp_path: Path) -> None:
    (tmp_path / module.UPLOAD).write_bytes(VIDEO)
    (tmp_path / written).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        JOBS[written](tmp_path)
    assert full.value.errno == errno.ENOSPC


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_during_decoding_refuses_no_file(number: int, tmp_path: Path) -> None:
    def decode(*_: Any) -> dict[str, Any]:
        raise UploadError("unreadable", "damaged") from OSError(number, "no space")

    job = module._Job(decode, 1)
    assert module._answer(job, tmp_path, lambda: None) == {"no_space": number}


@pytest.mark.usefixtures("broker")
def test_an_upload_to_a_full_disk_is_asked_to_come_back(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def full_folder(upload: Any) -> Iterator[Path]:
        with upload_folder(upload) as folder:
            (folder / module.PHOTO).symlink_to("/dev/full")
            yield folder

    monkeypatch.setattr(uploading, "upload_folder", full_folder)
    api = APIClient()
    api.force_authenticate(user)
    sent = {"photo": SimpleUploadedFile("a.jpg", make_photo_bytes())}
    answer = api.post("/api/v1/stories/", sent, format="multipart")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


def test_a_server_that_was_killed_is_replaced() -> None:
    for _ in range(2):
        os.kill(server_of(sandbox), signal.SIGKILL)
        assert read(make_photo_bytes()).photo.width == 64


def test_a_machine_with_too_much_to_do_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WALL_SECONDS", -0.8)  # a fifth of a second
    os.kill(server_of(sandbox), signal.SIGSTOP)
    try:
        with pytest.raises(UploadsBusyError):
            read(make_photo_bytes())
    finally:
        os.kill(server_of(sandbox), signal.SIGCONT)
    monkeypatch.undo()
    assert read(make_photo_bytes()).photo.width == 64


class Child:
    """Says its next words whenever the caller is busy with its progress, and ends after the last.

    Stands for the socket to the fork server.
    """

    def __init__(self, *words: bytes) -> None:
        self._words = [*words]

    def sendmsg(self, _message: Any, rights: Any) -> None:
        self._reply = socket.socket(fileno=os.dup(rights[0][2][0]))
        self.go_on()

    def go_on(self) -> None:
        if self._words:
            self._reply.sendall(self._words.pop(0))
        if not self._words:
            self._reply.close()


def sampled(child: Child, folder: Path) -> list[float]:
    server = object.__new__(module._ForkServer)
    vars(server).update(owner=os.getpid(), _control=child)
    one = module.Sandbox()
    one._server = server
    return one.sample(folder, child.go_on)


@pytest.mark.parametrize(
    "words",
    [(b'+..{"times": [0.5]}',), (b"+.", b'.{"times": [0.5]}'), (b"+.", b'{"times": [0.5]}')],
)
def test_progress_before_an_answer_is_no_part_of_it(
    tmp_path: Path, words: tuple[bytes, ...]
) -> None:
    assert sampled(Child(*words), tmp_path) == [0.5]


def test_a_child_that_dies_after_its_progress_took_too_much(tmp_path: Path) -> None:
    with pytest.raises(UploadError) as refusal:
        sampled(Child(b"+.", b"."), tmp_path)
    assert refusal.value.code == "too_costly"


def test_a_server_knows_no_secret_and_no_connection(db: None) -> None:
    process = Path(f"/proc/{server_of(sandbox)}")
    names = {
        entry.split(b"=")[0].decode() for entry in (process / "environ").read_bytes().split(b"\0")
    }
    assert names - {""} <= {*module._KEPT, *module._SET}
    assert len(list((process / "fd").iterdir())) <= 4
    assert len(list((process / "task").iterdir())) == 1  # else forking would not be safe


def test_a_server_ends_with_its_caller() -> None:
    program = (
        "import signal, sys; from stories.uploads.sandbox import Sandbox; s = Sandbox(); s.start();"
        "print(s._server._process.pid, flush=True); signal.pause()"
    )
    root = Path(__file__).resolve().parents[3]
    caller = subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE)
    assert caller.stdout
    server = os.pidfd_open(int(caller.stdout.readline()))
    caller.kill()
    caller.communicate()
    assert select.select([server], [], [], 20)[0] == [server]
    os.close(server)


@pytest.fixture
def all_turns_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "TURN_SECONDS", 0)
    monkeypatch.setattr(uploading, "_turns", threading.Semaphore(0))


@pytest.mark.usefixtures("all_turns_taken", "broker")
def test_who_cannot_be_served_soon_is_asked_to_come_back(user: User, client: Client) -> None:
    api = APIClient()
    api.force_authenticate(user)
    sent = {"photo": SimpleUploadedFile("a.jpg", make_photo_bytes())}
    answer = api.post("/api/v1/stories/", sent, format="multipart")
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "10", "busy")
    client.force_login(user)
    page = client.post("/stories/new/", {"photo": SimpleUploadedFile("a.jpg", make_photo_bytes())})
    assert (page.status_code, page["Retry-After"]) == (503, "10")
    assert "send this one again in a few seconds" in page.content.decode()
    assert not Story.objects.exists()


def server_of(one: module.Sandbox) -> int:
    assert one._server
    return int(one._server._process.pid)
