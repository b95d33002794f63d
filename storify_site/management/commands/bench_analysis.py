"""Time the analysis of photos in a warm process, without the site and the queue."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from storify_site.bench.alone import time_analysis


class Command(BaseCommand):
    help = "Time decoding and analysing two-megapixel photos, one at a time, faces included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=100)
        parser.add_argument("--data", type=Path, help="folder with vision/har.parquet")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(time_analysis(options["n"], options["data"])))
