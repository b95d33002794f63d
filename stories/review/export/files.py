"""The files of an export: Parquet, one file per model, and a manifest with their checksums."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from django.utils import timezone

from ml.manifest import digest
from stories.review.errors import ReviewError
from stories.review.export.labels import CLASSES

FORMAT = 1
SPLITS = ("train", "val", "test")
MANIFEST = "manifest.json"
ROWS_AT_ONCE = 200

Row = dict[str, Any]


class ExportError(ReviewError):
    """The export can't be written, or isn't as it was written; the message says why."""

    code = "export_error"


def schema_of(kind: str) -> Any:
    """The columns of a file: those of the data that the models were trained on, and three more.

    `person` numbers the owners within the export, `audit` marks the random audit sample.
    """
    import pyarrow as pa

    about = [("split", pa.string()), ("person", pa.int32()), ("audit", pa.bool_())]
    if kind == "caption":
        own = [("text", pa.string()), ("label", pa.string()), ("valence", pa.int8())]
    else:
        own = [("image", pa.binary()), ("label", pa.string())]
    return pa.schema([*own, *about])


class Writer:
    """Writes the rows of all files, some at a time; a context manager."""

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet as pq

        self.folder = folder
        self.waiting: dict[str, list[Row]] = {kind: [] for kind in CLASSES}
        self.counts: dict[str, Counter[str]] = {kind: Counter() for kind in CLASSES}
        self.writers = {
            kind: pq.ParquetWriter(folder / f"{kind}.parquet", schema_of(kind), compression="zstd")
            for kind in CLASSES
        }

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for kind, writer in self.writers.items():
            self._flush(kind)
            writer.close()

    def add(self, kind: str, row: Row) -> None:
        self.waiting[kind].append(row)
        self.counts[kind][row["split"]] += 1
        if len(self.waiting[kind]) >= ROWS_AT_ONCE:
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        import pyarrow as pa

        table = pa.Table.from_pylist(self.waiting[kind], schema=schema_of(kind))
        self.writers[kind].write_table(table)
        self.waiting[kind] = []


def write_manifest(
    folder: Path, counts: Mapping[str, Mapping[str, int]], figures: Mapping[str, Any]
) -> Row:
    """Describe the written files in `manifest.json`; return what it holds."""
    files = {
        f"{kind}.parquet": {
            "sha256": digest(folder / f"{kind}.parquet"),
            "rows": sum(counts[kind].values()),
            "splits": {split: counts[kind].get(split, 0) for split in SPLITS},
        }
        for kind in CLASSES
    }
    content: Row = {"format": FORMAT, "files": files, **figures}
    content["version"] = f"{timezone.now():%Y%m%dT%H%M%S}-{_checksum(content)[:8]}"
    content["sha256"] = _checksum(content)
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n")
    return content


def verify_export(folder: Path) -> Row:
    """Return the manifest of an export that is as it was written; else raise ExportError."""
    try:
        content: Row = json.loads((folder / MANIFEST).read_text())
        stated = content.pop("sha256")
        files = content["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"{folder} holds no export: {MANIFEST} can't be read.") from error
    if content.get("format") != FORMAT:
        raise ExportError(
            f"The export has format {content.get('format')}; this Storify reads {FORMAT}. "
            "Export the reviews again."
        )
    if stated != _checksum(content):
        raise ExportError(f"{MANIFEST} was changed. Export the reviews again.")
    sides = set().union(*(_verify(folder / name, files[name]) for name in files))
    if len(sides) != len({person for person, _ in sides}):
        raise ExportError("The export has photos of one person on two sides.")
    return content | {"sha256": stated}


def _verify(file: Path, described: Mapping[str, Any]) -> set[tuple[int, str]]:
    """Return every person with their split."""
    import pyarrow.parquet as pq

    if not file.is_file():
        raise ExportError(f"{file.name} is missing. Export the reviews again.")
    if digest(file) != described["sha256"]:
        raise ExportError(f"{file.name} was cut off or changed. Export the reviews again.")
    table = pq.read_table(file, columns=["split", "person"]).to_pydict()
    if dict(Counter(table["split"])) != {k: n for k, n in described["splits"].items() if n}:
        raise ExportError(f"{file.name} has other rows than {MANIFEST} says.")
    return set(zip(table["person"], table["split"], strict=True))


def _checksum(content: Row) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
