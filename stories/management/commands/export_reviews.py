"""Write reviewed photos and captions to a folder, to train and measure with, or verify one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stories.review.export import ExportError, export_reviews, verify_export


class Command(BaseCommand):
    help = (
        "Write agreed labels with their photos and captions, of people who agree at this moment, "
        "as Parquet files with a manifest. Delete the folder when it's no longer needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="a new folder, or with --verify an export")
        parser.add_argument("--verify", action="store_true", help="check an export; write nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        out: Path = options["out"]
        try:
            done = verify_export(out) if options["verify"] else export_reviews(out=out)
        except ExportError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(done) if options["json"] else _summary(done))


def _summary(manifest: dict[str, Any]) -> str:
    lines = [f"export {manifest['version']}: {manifest['reviews']} reviews"]
    for name, file in manifest["files"].items():
        splits = ", ".join(f"{split} {rows}" for split, rows in file["splits"].items())
        lines.append(f"{name}: {file['rows']} rows ({splits})")
    left_out = manifest["left_out"].items()
    return "\n".join([*lines, *(f"left out, {why}: {rows}" for why, rows in left_out)])
