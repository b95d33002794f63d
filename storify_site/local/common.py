"""Helpers for both local services."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

SOCKET_PATH_LIMIT = 100  # the limit is 104 on macOS and 108 on Linux
START_SECONDS = 60.0


class EmbeddedError(RuntimeError):
    """A local service didn't start or stop; the message names it and its log."""


def wait_for(condition: Callable[[], bool], complaint: str) -> None:
    """Wait until the condition holds.

    Raises EmbeddedError with the complaint if it doesn't within START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedError(complaint)
        time.sleep(0.02)


def short_dir(path: Path) -> Path:
    """A folder derived from `path`, short enough for a socket address."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return Path("/tmp") / f"storify-{os.getuid()}-{digest}"  # noqa: S108 - a folder only we may enter
