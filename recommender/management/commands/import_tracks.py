"""python manage.py import_tracks FILE_OR_URL"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.errors import ImportFailedError
from recommender.services import import_tracks
from recommender.services.imports import ImportReport

SHOWN_REJECTIONS = 20


class Command(BaseCommand):
    help = (
        "Add or update tracks from a CSV, TSV, Excel, JSON lines or Parquet file, packed or not, "
        "at a path or an https address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE_OR_URL")
        parser.add_argument(
            "--without-features",
            action="store_true",
            help="also import rows without energy and valence; the providers fill them in",
        )
        parser.add_argument(
            "--check", action="store_true", help="say what an import would do, and write nothing"
        )
        parser.add_argument("--encoding", help="of a text file, where it can't be told: cp1252, …")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        names = ("source", "without_features", "check", "encoding")
        try:
            report = import_tracks(**{name: options[name] for name in names})
        except ImportFailedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report.to_json()) if options["json"] else _as_text(report))


def _as_text(report: ImportReport) -> str:
    counts = (
        f"{report.accepted} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.repeated} repeated in the file, {report.rejected} rejected."
    )
    return "\n".join(
        [
            *_about_the_file(report),
            counts if report.written else f"Nothing was written. An import would give: {counts}",
            *(f"  {count} x {reason}" for reason, count in report.reasons.most_common()),
            *_rejected_rows(report),
            *_left_out_values(report),
        ]
    )


def _about_the_file(report: ImportReport) -> list[str]:
    columns, others = report.file["columns"], report.file["other_columns"]
    origins = [f"{field} from {_listed(names)}" for field, names in columns.items()]
    facts = [f"{name} {value}" for name, value in report.file.items() if isinstance(value, str)]
    return [
        f"Read as: {', '.join(facts)}.",
        f"Columns: {', '.join(origins)}.",
        *([f"Not used: {_listed(others)}."] if others else []),
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(name.strip() or "(no name)" for name in names)


def _rejected_rows(report: ImportReport) -> list[str]:
    rows = [
        f"  row {r['row']} {r['reason']}" + (f" ({r['lines']} lines)" if r["lines"] > 1 else "")
        for r in report.rejections[:SHOWN_REJECTIONS]
    ]
    return ["First rejected rows:", *rows] if rows else []


def _left_out_values(report: ImportReport) -> list[str]:
    values = [
        f"  {left.count} x {reason}, first in row {left.first_row}"
        for reason, left in report.left_out.items()
    ]
    return ["Values left out of imported rows:", *values] if values else []
