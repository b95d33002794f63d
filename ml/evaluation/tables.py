"""Read tables of labelled rows from Parquet or CSV."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from ml.types import Float64Array


class BadData(ValueError):
    """The file lacks the rows or columns that the measurement needs."""


def read(data: Path, split: str | None) -> pa.Table:
    """Return the rows of a file or of one split; raise BadData if there are none."""
    if not data.is_file():
        raise BadData(f"There is no file {data}.")
    table = _plain(csv.read_csv(data) if data.suffix == ".csv" else pq.read_table(data))
    if not table.num_rows:
        raise BadData(f"{data} has no rows.")
    if split is None:
        return table
    if "split" not in table.column_names:
        raise BadData(f"{data} has no column `split`; leave --split out to measure every row.")
    names = table["split"].to_pylist()
    splits = sorted(set(names))
    chosen = [split] if split in splits else [k for k in splits if k.endswith(f"_{split}")]
    if not chosen:
        raise BadData(f"{data} has no split {split}, only {', '.join(splits)}.")
    return table.filter(pa.array([name in chosen for name in names]))


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with images as plain bytes; some writers put a path beside the bytes."""
    if "image" not in table.column_names:
        return table
    images = table["image"]
    if pa.types.is_struct(images.type) and images.type.get_field_index("bytes") >= 0:
        images = pc.struct_field(images, "bytes")
    if not (pa.types.is_binary(images.type) or pa.types.is_large_binary(images.type)):
        raise BadData(f"The column image holds {images.type}, not encoded images as bytes.")
    return table.set_column(table.column_names.index("image"), "image", images)


def require(table: pa.Table, *columns: str) -> None:
    """Raise BadData that says which of the columns are missing."""
    if missing := [name for name in columns if name not in table.column_names]:
        raise BadData(
            f"The file has no column {', '.join(missing)}, only {', '.join(table.column_names)}."
        )


def numbers(table: pa.Table, *columns: str) -> Float64Array:
    """Return the columns as (n, k) numbers; raise BadData that names one with a row without any."""
    return np.column_stack([_numbers(table, name) for name in columns])


def _numbers(table: pa.Table, column: str) -> Float64Array:
    try:
        values = np.asarray(table[column].to_pylist(), dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        raise BadData(f"The column {column} has rows without a number. Leave them out.")
    return values
