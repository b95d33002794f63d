"""Create users with choices, some of them with libraries, on a benchmark site."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.errors import FactorsUnusableError
from storify_site.bench.libraries import create_libraries
from storify_site.bench.people import create_people


class Command(BaseCommand):
    help = "Create users with choices from a Parquet file (user_id, track_id) and train factors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--interactions", help="Parquet file; default: random choices")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Benchmark users can only be created with DEBUG on.")
        try:
            people = create_people(options["interactions"])
            self.stdout.write(json.dumps({**people, **create_libraries()}))
        except FactorsUnusableError as reason:
            raise CommandError(str(reason)) from reason
