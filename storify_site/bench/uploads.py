"""Time reading an upload inside and outside the sandbox process."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stories.services.uploads import read_upload, sandbox
from stories.uploads.photos import read_photo
from storify_site.bench.figures import quantile
from storify_site.bench.photos import photos

WARM_UP = 3


def time_uploads(n: int, data: Path | None) -> dict[str, Any]:
    """Read `n` two-megapixel photos inside and outside the sandbox, alternately."""
    sandbox.start()
    files = photos(n + WARM_UP, data)
    both = [(_timed(read_photo, file), _timed(read_upload, file)) for file in files][WARM_UP:]
    return {
        "n": len(both),
        "here": _spread([outside for outside, _ in both]),
        "sandbox": _spread([inside for _, inside in both]),
        "extra": _spread([inside - outside for outside, inside in both]),
    }


def _timed(read: Callable[[io.BytesIO], object], file: bytes) -> float:
    started = time.perf_counter()
    read(io.BytesIO(file))
    return (time.perf_counter() - started) * 1000


def _spread(milliseconds: list[float]) -> dict[str, float]:
    return {f"p{part}_ms": round(quantile(milliseconds, part), 1) for part in (25, 50, 75, 95)}
