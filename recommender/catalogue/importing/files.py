"""Streams a catalogue from a path or an https address, as CSV or Parquet."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from recommender.errors import ImportFailedError

MAX_BYTES = 2 * 1024**3
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PARQUET_MAGIC = b"PAR1"
_BATCH = 4096
_MAX_REDIRECTS = 5


class Table(NamedTuple):
    """A header and numbered rows: line numbers in a CSV, positions in a Parquet file.

    An unreadable row is replaced by a string that says why.
    """

    header: list[str]
    rows: Iterator[tuple[int, Sequence[Any] | str]]


@contextmanager
def opened(
    source: str, *, transport: httpx.BaseTransport | None = None, max_bytes: int = MAX_BYTES
) -> Iterator[Table]:
    """The table at a path or https address; raises ImportFailedError if there is none."""
    if "://" in source:
        with tempfile.TemporaryDirectory(prefix="storify-import-") as folder:
            path = Path(folder) / "catalogue"
            _download(source, path, transport, max_bytes)
            yield from _table(path)
    else:
        yield from _table(Path(source))


def _download(url: str, path: Path, transport: httpx.BaseTransport | None, max_bytes: int) -> None:
    """Follow only https redirects, and stop as soon as the file is too large."""
    client = httpx.Client(transport=transport, timeout=TIMEOUT)
    try:
        with client:
            for _ in range(_MAX_REDIRECTS):
                if not url.startswith("https://"):
                    raise ImportFailedError("Only https addresses are supported.")
                with client.stream("GET", url) as response:
                    if response.has_redirect_location:
                        url = str(response.url.join(response.headers["Location"]))
                        continue
                    response.raise_for_status()
                    return _save(response, path, max_bytes)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise ImportFailedError(f"The address answered with status {status}.") from error
    except httpx.HTTPError as error:
        raise ImportFailedError(
            f"The address could not be read ({type(error).__name__})."
        ) from error
    raise ImportFailedError("The address redirects too often.")


def _save(response: httpx.Response, path: Path, max_bytes: int) -> None:
    received = 0
    with path.open("wb") as out:
        for piece in response.iter_bytes():
            received += len(piece)
            if received > max_bytes:
                raise ImportFailedError(f"The file is larger than {max_bytes // 1024**2} MB.")
            out.write(piece)


def _table(path: Path) -> Iterator[Table]:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == _PARQUET_MAGIC
    except OSError as error:
        raise ImportFailedError(f"The file cannot be read: {error.strerror}.") from error
    yield from _parquet(path) if is_parquet else _csv(path)


def _csv(path: Path) -> Iterator[Table]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(line.replace("\x00", "") for line in file)
        header = next(reader, None)
        if not header:
            raise ImportFailedError("The file is empty.")
        yield Table(header, _csv_rows(reader))


def _csv_rows(reader: Any) -> Iterator[tuple[int, Sequence[Any] | str]]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"is not readable as CSV ({error})"
        else:
            if row:
                yield reader.line_num, row


def _parquet(path: Path) -> Iterator[Table]:
    # Imported here because only this command needs it, and it takes tens of megabytes.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield Table(list(file.schema_arrow.names), _parquet_rows(file))
    except (pa.ArrowException, OSError) as error:
        raise ImportFailedError("The file is not a readable Parquet file.") from error


def _parquet_rows(file: Any) -> Iterator[tuple[int, Sequence[Any] | str]]:
    place = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            place += 1
            yield place, row
