"""python manage.py sweep_media"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from stories import services


class Command(BaseCommand):
    help = (
        "Remove files older than a day that belong to no story, and say which files of stories are "
        "missing. A worker does it every day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="remove nothing")
        parser.add_argument(
            "--force", action="store_true", help="even if most of the files belong to no story"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        flags = {name: options[name] for name in ("dry_run", "force")}
        report = services.sweep_media(**flags)
        words = (
            f"{report.files} files, {report.without_row} of them without a story: {report.removed} "
            f"removed, {report.too_young} younger than a day. {report.n_missing} files missing."
        )
        named = "".join(f"\n  {name}" for name in report.missing)
        self.stdout.write(json.dumps(asdict(report)) if options["json"] else words + named)
