"""Read files with one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recommender.catalogue.importing.formats.lines import LineError, Lines
from recommender.catalogue.importing.tables import Table, TableRow, peek
from recommender.errors import ImportFailedError

_SAMPLED = 200
_MAX_COLUMNS = 500


def read(path: Path, codec: str) -> Iterator[Table]:
    """Yield the table once; its columns are those of the first objects."""
    with path.open(encoding=codec, errors="replace", newline="") as file:
        first, objects = peek(_objects(Lines(file)), _SAMPLED)
        names = {name: None for _, item in first if not isinstance(item, str) for name in item}
        header = list(names)[:_MAX_COLUMNS]
        if not header:
            raise ImportFailedError(
                "The file starts like JSON but isn't one object a line. "
                "A list of objects becomes that with: jq -c '.[]' tracks.json > tracks.jsonl"
            )
        rows = (
            TableRow(line, item if isinstance(item, str) else [item.get(name) for name in header])
            for line, item in objects
        )
        yield Table(header, rows, {"format": "JSON lines", "encoding": codec})


def _objects(lines: Lines) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    while True:
        number = lines.start_record()
        try:
            line = next(lines)
        except StopIteration:
            return
        except LineError as error:
            yield number, str(error)
            continue
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> Mapping[str, Any] | str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "is not readable as JSON"
    return _flat(value) if isinstance(value, dict) else "is no JSON object"


def _flat(item: Mapping[str, Any]) -> dict[str, Any]:
    """Objects within an object as columns of their own, as in album.name."""
    flat: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": v for inner, v in value.items()}
        else:
            flat[name] = value
    return flat
