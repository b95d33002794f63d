"""Small generated catalogue files of every kind."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recommender.catalogue.importing.columns import COLUMNS
from recommender.catalogue.importing.files import opened
from recommender.catalogue.importing.layouts import layout_of
from recommender.catalogue.importing.rows import BadRowError, parser_of
from recommender.catalogue.importing.tables import Table, peek

Track = dict[str, Any]
IDS = [f"{n:022}" for n in range(100)]


class Parsed:
    """What a file holds: tracks by field, and rows that were refused by line."""

    def __init__(self, table: Table, needed: tuple[str, ...]) -> None:
        layout = layout_of(table.header, needed=needed)
        sample, rows = peek(table.rows, 1000)
        parser, facts = parser_of(layout, sample)
        self.facts = {**table.facts, **facts}
        self.tracks: list[Track] = []
        self.refused: dict[int, str] = {}
        self.left_out: list[str] = []
        for row in rows:
            if isinstance(row.cells, str):
                self.refused[row.line] = row.cells
                continue
            try:
                values = parser.parse(row.cells)
            except BadRowError as error:
                self.refused[row.line] = str(error)
            else:
                self.tracks.append(dict(zip(COLUMNS, values, strict=True)))
                self.left_out += parser.left_out


def parsed(
    path: Path, *, needed: tuple[str, ...] = ("energy", "valence"), encoding: str | None = None
) -> Parsed:
    with opened(str(path), encoding=encoding) as table:
        return Parsed(table, needed)


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def delimited(rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
