"""Read Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.catalogue.importing.tables import Table, TableRow
from recommender.errors import ImportFailedError

if TYPE_CHECKING:
    from pyarrow import Array
    from pyarrow.parquet import ParquetFile

_BATCH = 4096


def read(path: Path) -> Iterator[Table]:
    """Yield the table once; its rows are read while it's in use."""
    # Imported here because only this command needs it, and it takes tens of megabytes.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield Table(list(file.schema_arrow.names), _rows(file), {"format": "Parquet"})
    except (pa.ArrowException, OSError) as error:
        raise ImportFailedError("The file is not a readable Parquet file.") from error


def _rows(file: ParquetFile) -> Iterator[TableRow]:
    place = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        for cells in zip(*(_cells(column) for column in batch.columns), strict=True):
            place += 1
            yield TableRow(place, cells)


def _cells(column: Array[Any]) -> list[Any]:
    """Moments come as text: Python has none before the year 1, after 9999 or of nanoseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # Without a time zone, so that none has to be known here.
        column = column.cast(pa.timestamp(column.type.unit)).cast(pa.string())
    elif pa.types.is_date(column.type):
        column = column.cast(pa.string())
    cells: list[Any] = column.to_pylist()
    return cells
