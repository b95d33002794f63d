"""`fuzz`: hostile uploads through the code that cleans what people send.

Each goes through the sandbox as in a web process; of the videos among every tenth accepted upload
the encoding is run, too. Counts what must not happen: an exception that nobody caught, more than
5 s, more than 700 MB, and stored pictures in which something of the upload's hidden data is left.
"""

import os
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stories.errors import UploadsBusyError
from stories.uploads.photos import UploadError
from stories.uploads.sandbox import PHOTO, THUMBNAIL, UPLOAD, VIDEO, Sandbox, SandboxError
from storify_site.bench.figures import quantile
from storify_site.bench.reliability.hostile import upload
from storify_site.bench.reliability.seeds import MARKER, seeds

MOST_SECONDS, MOST_MB = 5.0, 700.0
ENCODED_EVERY = 10
SAMPLE_SECONDS = 0.005
# What a JPEG of ours has: quantisation, frame, Huffman tables, scan; JFIF's header as well.
_PLAIN_SEGMENTS = {0xC0, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xE0}


@dataclass
class Fuzzed:
    """What came of the uploads; findings name the number with which an upload is made again."""

    n: int = 0
    accepted: int = 0
    encoded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    uncaught: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


def fuzz(n: int, seed: int, limit_seconds: float) -> dict[str, Any]:
    """Send `n` uploads, fewer if the time is over."""
    found, files, started = Fuzzed(), seeds(), time.monotonic()
    sandbox = Sandbox()
    sandbox.start()
    with MemoryWatch() as memory:
        for number in range(n):
            if time.monotonic() - started > limit_seconds:
                break
            name, data = upload(number, seed, files)
            _try(sandbox, f"{number} ({name})", data, found, memory)
    spent = [round(quantile(found.seconds or [0.0], percent), 3) for percent in (50, 99, 100)]
    counted = asdict(found) | {"refused": dict(found.refused.most_common())}
    return {
        **counted,
        "seconds": dict(zip(("p50", "p99", "max"), spent, strict=True)),
        "seed": seed,
    }


def _try(sandbox: Sandbox, name: str, data: bytes, found: Fuzzed, memory: "MemoryWatch") -> None:
    found.n += 1
    memory.peak_mb = 0.0
    with tempfile.TemporaryDirectory(prefix="storify-fuzz-") as place:
        folder = Path(place)
        (folder / UPLOAD).write_bytes(data)
        started = time.perf_counter()
        try:
            result = sandbox.read(folder)
        except UploadError as error:
            found.refused[error.code] += 1
            result = {}
        except (SandboxError, UploadsBusyError) as error:
            found.uncaught.append(f"{name}: {error!r}")
            result = {}
        spent = time.perf_counter() - started
        if result:
            found.accepted += 1
            _look_into(folder, name, found)
            if "seconds" in result and found.accepted % ENCODED_EVERY == 0:
                _encode(sandbox, folder, name, found)
    found.seconds.append(spent)
    found.megabytes = max(found.megabytes, memory.peak_mb)
    if spent > MOST_SECONDS:
        found.slow.append(f"{name}: {spent:.1f} s")
    if memory.peak_mb > MOST_MB:
        found.large.append(f"{name}: {memory.peak_mb:.0f} MB")


def _encode(sandbox: Sandbox, folder: Path, name: str, found: Fuzzed) -> None:
    try:
        sandbox.transcode(folder, lambda: None)
    except UploadError as error:
        found.refused[error.code] += 1
        return
    except (SandboxError, UploadsBusyError) as error:
        found.uncaught.append(f"{name}, encoding: {error!r}")
        return
    found.encoded += 1
    if MARKER in (folder / VIDEO).read_bytes():
        found.hidden.append(f"{name}, encoded")


def _look_into(folder: Path, name: str, found: Fuzzed) -> None:
    for file in (PHOTO, THUMBNAIL):
        data = (folder / file).read_bytes()
        if MARKER in data or not is_plain(data):
            found.hidden.append(f"{name}, {file}")


def is_plain(jpeg: bytes) -> bool:
    """Whether a JPEG is pictures and tables alone: no metadata, nothing behind its end."""
    at = 2
    while jpeg[at : at + 1] == b"\xff":
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        if marker not in _PLAIN_SEGMENTS:
            return False
        at += 2 + size
        if marker == 0xDA:
            at = _after_scan(jpeg, at)
            if jpeg[at : at + 2] == b"\xff\xd9":
                return at + 2 == len(jpeg)
    return False


def _after_scan(jpeg: bytes, at: int) -> int:
    """Where the coded data of a scan ends: at a marker that isn't stuffing or a restart."""
    inside = {0, *range(0xD0, 0xD8)}
    while (at := jpeg.find(b"\xff", at)) != -1 and jpeg[at + 1] in inside:
        at += 2
    return at if at != -1 else len(jpeg)


class MemoryWatch:
    """Watches the largest resident size of the sandbox's children, in a thread of its own."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            for server in _children(os.getpid()):
                for child in _children(server):
                    with suppress(OSError, IndexError):  # it has ended
                        status = Path(f"/proc/{child}/status").read_text()
                        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1000
                        self.peak_mb = max(self.peak_mb, peak)


def _children(pid: int) -> list[int]:
    """The processes that this one started, from any of its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def table(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of name, measured and goal."""
    times = result["seconds"]
    return [
        ("hostile uploads", f"{result['n']}", ""),
        ("  accepted, of these encoded", f"{result['accepted']}, {result['encoded']}", ""),
        ("uncaught exceptions", f"{len(result['uncaught'])}", "0"),
        (f"over {MOST_SECONDS:.0f} s", f"{len(result['slow'])}", "0"),
        ("  p50, p99, longest", "{p50:.2f}, {p99:.2f}, {max:.2f} s".format(**times), ""),
        (f"over {MOST_MB:.0f} MB", f"{len(result['large'])}", "0"),
        ("  largest", f"{result['megabytes']:.0f} MB", ""),
        ("stored with hidden data", f"{len(result['hidden'])}", "0"),
    ]
