"""Time ranking and logging on this database's catalogue, and measure candidate recall."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from storify_site.bench.ranking import TOP, time_ranking


class Command(BaseCommand):
    help = "Time suggestions for random moods; nothing is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=200)
        parser.add_argument(
            "--recall",
            type=int,
            default=0,
            metavar="N",
            help=f"for N moods, how many of the exact best {TOP} are among the candidates",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(time_ranking(options["n"], options["recall"])))
