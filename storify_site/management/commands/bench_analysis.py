"""Times the analysis of photos in a warm process, without the site and the queue."""

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

WARM_UP = 3  # the first few allocate memory


class Command(BaseCommand):
    help = "Time decoding and analysing two-megapixel photos, one at a time, faces included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=100)
        parser.add_argument("--data", type=Path, help="folder with vision/har.parquet")

    def handle(self, *_args: Any, **options: Any) -> None:
        from ml.analysis import analyse
        from ml.warming import warm

        warm()
        files = photos(options["n"] + WARM_UP, options["data"])
        milliseconds = []
        for number, file in enumerate(files):
            started = time.perf_counter()
            photo = Image.open(io.BytesIO(file)).convert("RGB")
            analyse(photo, CAPTIONS[number % len(CAPTIONS)])
            milliseconds.append((time.perf_counter() - started) * 1000)
        counted = milliseconds[WARM_UP:]
        result = {
            "n": len(counted),
            "p50_ms": quantile(counted, 50),
            "p95_ms": quantile(counted, 95),
            "photos_per_second": round(1000 * len(counted) / sum(counted), 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        }
        self.stdout.write(json.dumps(result))
