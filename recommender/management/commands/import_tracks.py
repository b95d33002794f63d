"""python manage.py import_tracks FILE_OR_URL"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.errors import ImportFailedError
from recommender.services import import_tracks
from recommender.services.imports import ImportReport

SHOWN_REJECTIONS = 20


class Command(BaseCommand):
    help = "Add or update tracks from a CSV or Parquet file, a path or an https address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE_OR_URL")
        parser.add_argument(
            "--without-features",
            action="store_true",
            help="also import rows without energy and valence; the providers fill them in",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            report = import_tracks(
                source=options["source"], without_features=options["without_features"]
            )
        except ImportFailedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report.to_json()) if options["json"] else _as_text(report))


def _as_text(report: ImportReport) -> str:
    counts = (
        f"{report.accepted} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.repeated} repeated in the file, {report.rejected} rejected."
    )
    why = [f"  {count} x {reason}" for reason, count in report.reasons.most_common()]
    where = [f"  row {r['row']} {r['reason']}" for r in report.rejections[:SHOWN_REJECTIONS]]
    return "\n".join([counts, *why, *(["First rejected rows:"] if where else []), *where])
