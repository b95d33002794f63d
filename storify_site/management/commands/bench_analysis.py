"""How long the whole analysis of a photo takes in a warm process, without site and queue."""

import io
import json
import resource
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from PIL import Image

from storify_site.bench.figures import quantile
from storify_site.bench.photos import CAPTIONS, photos

WARMING = 3  # the first few grow memory to its size


class Command(BaseCommand):
    help = "Time decoding and analysing two-megapixel photos, one after the other, faces included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=100)
        parser.add_argument("--data", type=Path, help="folder with vision/har.parquet; else drawn")

    def handle(self, *_args: Any, **options: Any) -> None:
        from ml.analysis import analyse
        from ml.warming import warm

        warm()
        files = photos(options["n"] + WARMING, options["data"])
        milliseconds = []
        for number, file in enumerate(files):
            started = time.perf_counter()
            photo = Image.open(io.BytesIO(file)).convert("RGB")
            analyse(photo, CAPTIONS[number % len(CAPTIONS)])
            milliseconds.append((time.perf_counter() - started) * 1000)
        counted = milliseconds[WARMING:]
        result = {
            "n": len(counted),
            "p50_ms": quantile(counted, 50),
            "p95_ms": quantile(counted, 95),
            "photos_per_second": round(1000 * len(counted) / sum(counted), 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        }
        self.stdout.write(json.dumps(result))
