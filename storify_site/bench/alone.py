"""Time reading and analysing photos in a warm process, without the site and the queue."""

import io
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from stories.services.uploads import read_upload, sandbox
from stories.uploads.photos import read_photo
from storify_site.bench.figures import quantile
from storify_site.bench.photos import CAPTIONS, photos

WARM_UP = 3  # the first few allocate memory


def time_analysis(n: int, data: Path | None) -> dict[str, Any]:
    """Decode and analyse `n` two-megapixel photos, one at a time."""
    from ml.analysis import analyse
    from ml.warming import warm

    warm()
    milliseconds = []
    for number, file in enumerate(photos(n + WARM_UP, data)):
        started = time.perf_counter()
        photo = Image.open(io.BytesIO(file)).convert("RGB")
        analyse(photo, CAPTIONS[number % len(CAPTIONS)])
        milliseconds.append((time.perf_counter() - started) * 1000)
    counted = milliseconds[WARM_UP:]
    return {
        "n": len(counted),
        "p50_ms": quantile(counted, 50),
        "p95_ms": quantile(counted, 95),
        "photos_per_second": round(1000 * len(counted) / sum(counted), 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }


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
