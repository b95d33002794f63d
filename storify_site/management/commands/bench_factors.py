"""Time the training of collaborative factors on random choices."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from storify_site.bench.factors import time_training


class Command(BaseCommand):
    help = "Time alternating least squares; nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=100_000)
        parser.add_argument("--tracks", type=int, default=200_000)
        parser.add_argument("--choices", type=int, default=6_000_000)

    def handle(self, *_args: Any, **options: Any) -> None:
        result = time_training(options["people"], options["tracks"], options["choices"])
        self.stdout.write(json.dumps(result))
