"""python manage.py load_demo_catalogue"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recommender.services import load_demo_catalogue


class Command(BaseCommand):
    help = "Load the project's demo tracks; loading them again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        written = load_demo_catalogue()
        result = {
            "added": written.new,
            "updated": written.updated,
            "unchanged": written.unchanged,
        }
        line = ", ".join(f"{count} {name}" for name, count in result.items())
        self.stdout.write(json.dumps(result) if options["json"] else f"Demo catalogue: {line}.")
