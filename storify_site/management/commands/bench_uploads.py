"""Times reading an upload inside and outside the sandbox process."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from stories.services.uploads import read_upload, sandbox
from stories.uploads.photos import read_photo
from storify_site.bench.figures import quantile
from storify_site.bench.photos import photos

WARM_UP = 3


class Command(BaseCommand):
    help = "Time reading two-megapixel photos inside and outside the sandbox, alternately."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=100)
        parser.add_argument("--data", type=Path, help="folder with vision/har.parquet")

    def handle(self, *_args: Any, **options: Any) -> None:
        sandbox.start()
        files = photos(options["n"] + WARM_UP, options["data"])
        both = [(_timed(read_photo, file), _timed(read_upload, file)) for file in files][WARM_UP:]
        result = {
            "n": len(both),
            "here": _spread([here for here, _ in both]),
            "sandbox": _spread([apart for _, apart in both]),
            "extra": _spread([apart - here for here, apart in both]),
        }
        self.stdout.write(json.dumps(result))


def _timed(read: Callable[[io.BytesIO], object], file: bytes) -> float:
    started = time.perf_counter()
    read(io.BytesIO(file))
    return (time.perf_counter() - started) * 1000


def _spread(milliseconds: list[float]) -> dict[str, float]:
    return {f"p{part}_ms": round(quantile(milliseconds, part), 1) for part in (25, 50, 75, 95)}
