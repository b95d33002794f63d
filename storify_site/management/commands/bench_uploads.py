"""Time reading an upload inside and outside the sandbox process."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from storify_site.bench.alone import time_uploads


class Command(BaseCommand):
    help = "Time reading two-megapixel photos inside and outside the sandbox, alternately."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=100)
        parser.add_argument("--data", type=Path, help="folder with vision/har.parquet")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(time_uploads(options["n"], options["data"])))
