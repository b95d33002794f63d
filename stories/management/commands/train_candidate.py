"""Train a candidate model from an export of reviews and register it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stories.registry import services
from stories.registry.errors import RegistryError
from stories.registry.selectors import TRAINABLE, objections
from stories.review.export import ExportError


class Command(BaseCommand):
    help = (
        "Tune the serving model on an export, compare both, and register the result as a candidate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help=f"one of: {', '.join(TRAINABLE)}")
        parser.add_argument("--export", type=Path, required=True, help="from export_reviews")
        parser.add_argument("--data", type=Path, help="folder of base data (default STORIFY_DATA)")
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        given = {key: options[key] for key in ("name", "export", "data", "epochs")}
        try:
            version = services.train_candidate(**given, on_progress=self.stderr.write)
        except (RegistryError, ExportError) as error:
            raise CommandError(str(error)) from error
        told = {
            "id": str(version.pk),
            "version": version.version,
            "comparison": version.comparison,
            "objections": objections(version),
        }
        self.stdout.write(json.dumps(told) if options["json"] else version.card)
