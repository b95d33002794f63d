"""Taking a catalogue file into the tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from recommender.catalogue.importing.files import Table, opened
from recommender.catalogue.importing.layouts import MOOD, layout_of
from recommender.catalogue.importing.rows import BadRowError, track_values
from recommender.models import Track
from recommender.services.bulk import Row, write_tracks

LISTED_REJECTIONS = 1000
UNKNOWN_TRACK = "has no title and describes no track that is there"


@dataclass
class ImportReport:
    """What became of the rows of a file."""

    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    """The first LISTED_REJECTIONS of them, by row."""

    def reject(self, row: int, reason: str) -> None:
        self.rejected += 1
        self.reasons[reason] += 1
        if len(self.rejections) < LISTED_REJECTIONS:
            self.rejections.append({"row": row, "reason": reason})

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "reasons": dict(self.reasons.most_common())}


def import_tracks(
    *, source: str, without_features: bool = False, transport: httpx.BaseTransport | None = None
) -> ImportReport:
    """Add or update the tracks of a CSV or Parquet file at a path or an https address.

    Rows without energy and valence are refused, or taken `without_features` for the providers to
    fill in. The same file again changes nothing. All readable rows are written together or, when
    something fails on the way, none. ImportFailedError: the file as a whole is not readable.
    """
    report, needed = ImportReport(), () if without_features else MOOD
    with opened(source, transport=transport) as table:
        written = write_tracks(source=Track.Source.IMPORT, rows=_rows(table, report, needed))
    for place in written.unknown:
        report.reject(place, UNKNOWN_TRACK)
    report.rejections.sort(key=lambda rejection: rejection["row"])
    report.accepted, report.updated = written.new, written.updated
    report.unchanged, report.repeated = written.unchanged, written.repeated
    return report


def _rows(table: Table, report: ImportReport, needed: tuple[str, ...]) -> Iterator[Row]:
    layout = layout_of(table.header, needed=needed)
    for place, cells in table.rows:
        if isinstance(cells, str):
            report.reject(place, cells)
            continue
        try:
            yield Row(place, track_values(cells, layout))
        except BadRowError as error:
            report.reject(place, str(error))
