"""Import a catalogue file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from accounts.transactions import atomic_with_retry
from recommender.catalogue.feature_providers import ImportedFeatures
from recommender.catalogue.importing.files import opened
from recommender.catalogue.importing.layouts import MOOD, Layout, layout_of
from recommender.catalogue.importing.rows import BadRowError, RowParser, parser_of
from recommender.catalogue.importing.tables import Table, TableRow, peek
from recommender.models import FeatureMiss, Track
from recommender.services.bulk import Row, write_tracks

LISTED_REJECTIONS = 1000
UNKNOWN_TRACK = "has no title and describes no track that is there"
_SAMPLED_ROWS = 1000


@dataclass
class LeftOut:
    """Unreadable optional values with the same reason."""

    count: int
    first_row: int


@dataclass
class ImportReport:
    """Counts of a file's accepted, updated and rejected rows, or what they would be."""

    written: bool = True
    file: dict[str, Any] = field(default_factory=dict)
    """What was detected: format, encoding, layout, the columns of each field and the others."""
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0
    lost_lines: int = 0
    """Lines of the rejected rows together."""
    reasons: Counter[str] = field(default_factory=Counter)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    """The first LISTED_REJECTIONS of them: the row (line) where each starts, and its lines."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def reject(self, row: int, reason: str, lines: int = 1) -> None:
        self.rejected += 1
        self.lost_lines += lines
        self.reasons[reason] += 1
        if len(self.rejections) < LISTED_REJECTIONS:
            self.rejections.append({"row": row, "reason": reason, "lines": lines})

    def leave_out(self, row: int, reason: str) -> None:
        self.left_out.setdefault(reason, LeftOut(0, row)).count += 1

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "reasons": dict(self.reasons.most_common())}


def import_tracks(
    *,
    source: str,
    without_features: bool = False,
    check: bool = False,
    encoding: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> ImportReport:
    """Add or update the tracks of a catalogue file at a path or an https address.

    Rows without energy and valence are refused, or taken `without_features` for the providers to
    fill in. The same file again changes nothing. All readable rows are written together or, when
    something fails on the way or it's only a `check`, none. `encoding` is that of a text file,
    where it can't be told. ImportFailedError: the file as a whole is not readable.
    """
    report, needed = ImportReport(written=not check), () if without_features else MOOD
    with opened(source, encoding=encoding, transport=transport) as table:
        written = write_tracks(
            source=Track.Source.IMPORT, rows=_rows(table, report, needed), check=check
        )
    for place in written.unknown:
        report.reject(place, UNKNOWN_TRACK)
    report.rejections.sort(key=lambda rejection: rejection["row"])
    if not check:
        _forget_misses()
    report.accepted, report.updated = written.new, written.updated
    report.unchanged, report.repeated = written.unchanged, written.repeated
    return report


@atomic_with_retry
def _forget_misses() -> None:
    """What the catalogue didn't know it may know now."""
    FeatureMiss.objects.filter(provider=ImportedFeatures.name).delete()


def _rows(table: Table, report: ImportReport, needed: tuple[str, ...]) -> Iterator[Row]:
    layout = layout_of(table.header, needed=needed)
    sample, rows = peek(table.rows, _SAMPLED_ROWS)
    parser, facts = parser_of(layout, sample)
    report.file = {**table.facts, **facts, **_columns(table.header, layout)}
    for row in rows:
        if isinstance(row.cells, str):
            report.reject(row.line, row.cells, row.lines)
        else:
            yield from _parsed(row, parser, report)


def _parsed(row: TableRow, parser: RowParser, report: ImportReport) -> Iterator[Row]:
    try:
        values = parser.parse(row.cells)
    except BadRowError as error:
        report.reject(row.line, str(error), row.lines)
        return
    for reason in parser.left_out:
        report.leave_out(row.line, reason)
    yield Row(row.line, values)


def _columns(header: Sequence[str], layout: Layout) -> dict[str, Any]:
    used = layout.columns(header)
    names = {name for columns in used.values() for name in columns}
    return {"columns": used, "other_columns": [name for name in header if name not in names]}
