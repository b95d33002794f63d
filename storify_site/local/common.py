"""What both local services share."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

SOCKET_PATH_LIMIT = 100  # the system's own limit is 104 on macOS and 108 on Linux
START_SECONDS = 60.0


class EmbeddedError(RuntimeError):
    """A local service did not start or stop; the message says which and where its log is."""


def wait_for(condition: Callable[[], bool], complaint: str) -> None:
    """Come back when the condition holds; EmbeddedError with the complaint when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedError(complaint)
        time.sleep(0.02)


def short_dir(path: Path) -> Path:
    """A folder whose name fits into a socket address, the same for the same path."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return Path("/tmp") / f"storify-{os.getuid()}-{digest}"  # noqa: S108 - a folder only we may enter
