"""Transfer of fixed-width rows between PostgreSQL and numpy, in PostgreSQL's binary formats.

Reading a thousand rows of a dozen numbers this way takes a fraction of the time of fetching single
values. Fields have numpy kinds of PostgreSQL's size and byte order (">f8" for double precision,
"V16" for uuid, and so on) and must not be null.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connections
from numpy.typing import NDArray

Fields = Sequence[tuple[str, Any]]
_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
# Starting helpers or compiling takes longer than these queries do.
_AT_ONCE = (
    "SELECT set_config(name, value, true) FROM (VALUES"
    " ('max_parallel_workers_per_gather', '0'), ('jit', 'off')) AS setting(name, value);"
)
_TAIL = struct.pack("!h", -1)


def halfvec(width: int) -> np.dtype[Any]:
    """The kind of pgvector's halfvec with this many dimensions."""
    return np.dtype([("width", ">i2"), ("unused", ">i2"), ("values", ">f2", (width,))])


def as_halfvec(vectors: NDArray[np.floating]) -> NDArray[Any]:
    """Vectors (n, width) as a column of the kind `halfvec(width)`."""
    column = np.zeros(len(vectors), dtype=halfvec(vectors.shape[1]))
    column["width"], column["values"] = vectors.shape[1], vectors
    return column


def read(
    sql: str, parameters: Mapping[str, Any], fields: Fields, *, using: str = "default"
) -> NDArray[Any]:
    """The rows of a query as a structured array; its one column `row` is a bytea of all fields.

    Their rows come as a single value, which the client takes in one step.
    """
    with connections[using].cursor() as cursor:
        statement = f"{_AT_ONCE} SELECT string_agg(row, '') FROM ({sql}) AS rows"  # noqa: S608
        cursor.execute(statement, parameters)
        cursor.nextset()
        (content,) = cursor.fetchone() or (None,)
    return np.frombuffer(content or b"", np.dtype(list(fields)))


def floats(n: int) -> np.dtype[Any]:
    """The kind of array_send(ARRAY[…]) of `n` numbers in double precision, none of them null."""
    return np.dtype([("head", "V20"), ("values", [("size", ">i4"), ("value", ">f8")], (n,))])


def write(table: str, fields: Fields, columns: Mapping[str, Any]) -> None:
    """Add rows to a table; every column is an array over the rows."""
    layout = _layout(fields)
    rows = np.zeros(len(columns[fields[0][0]]), dtype=layout)
    rows["n_fields"] = len(fields)
    for name, _ in fields:
        rows[f"{name}_size"] = layout[name].itemsize
        rows[name] = columns[name]
    names = ", ".join(name for name, _ in fields)
    connection = connections["default"]
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(_HEAD + rows.tobytes() + _TAIL)


def _layout(fields: Fields) -> np.dtype[Any]:
    """Every value is preceded by its size, every row by the number of its values."""
    layout: list[tuple[str, Any]] = [("n_fields", ">i2")]
    for name, kind in fields:
        layout += [(f"{name}_size", ">i4"), (name, kind)]
    return np.dtype(layout)
