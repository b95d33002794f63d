"""File formats of collaborative training, so that it can run on any machine or cluster.

choices.parquet   person (int64), song (string): the choices to train on
factors.parquet   song (string), n_choices (int32), vector (list of float): the trained vectors,
                  with method, confidence and regularisation in the schema's metadata
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.engine.als import Factors, Settings
from recommender.errors import FactorsUnusableError

IntArray = NDArray[np.int64]
_BATCH_SIZE = 100_000


@dataclass(frozen=True)
class SongFactors:
    """Trained song vectors and the settings that fold people in."""

    songs: list[str]
    """Unique song keys."""
    vectors: Factors
    """(n, n_factors)."""
    n_choices: IntArray
    """(n,): choices of each song."""
    settings: Settings
    method: str


def write_choices(path: Path, choices: Iterable[tuple[int, str]]) -> int:
    """Write unique (person, song) pairs and return their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("person", pa.int64()), ("song", pa.string())])
    remaining, written = iter(choices), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while part := [*islice(remaining, _BATCH_SIZE)]:
            people, songs = zip(*part, strict=True)
            writer.write_table(pa.table([pa.array(people), pa.array(songs)], schema=schema))
            written += len(part)
    return written


def read_choices(path: Path) -> tuple[Any, list[str]]:
    """A scipy CSR matrix (n_people, n_songs) of ones, and the song key of each column."""
    import pyarrow.parquet as pq
    from scipy.sparse import csr_matrix

    table = pq.read_table(path, columns=["person", "song"])
    people = np.unique(table["person"].to_numpy(), return_inverse=True)[1]
    songs = table["song"].combine_chunks().dictionary_encode()
    columns, names = songs.indices.to_numpy(), songs.dictionary.to_pylist()
    shape = (int(people.max(initial=-1)) + 1, len(names))
    ones = np.ones(len(columns), dtype=np.float32)
    choices = csr_matrix((ones, (people, columns)), shape=shape)
    choices.data[:] = 1.0  # a repeated pair counts once
    return choices, names


def write_factors(path: Path, factors: SongFactors) -> None:
    """Write trained factors in the format that `read_factors` reads."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = pa.array(np.ascontiguousarray(factors.vectors, dtype=np.float32).ravel())
    table = pa.table(
        {
            "song": pa.array(factors.songs, pa.string()),
            "n_choices": pa.array(factors.n_choices, pa.int32()),
            "vector": pa.FixedSizeListArray.from_arrays(values, factors.vectors.shape[1]),
        }
    )
    about = {
        "method": factors.method,
        "confidence": str(factors.settings.confidence),
        "regularisation": str(factors.settings.regularisation),
    }
    pq.write_table(table.replace_schema_metadata(about), path, compression="zstd")


def read_factors(path: Path) -> SongFactors:
    """Read trained factors.

    Raises FactorsUnusableError if the file is broken or holds numbers that aren't finite.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=["song", "n_choices", "vector"])
        about = {key.decode(): v.decode() for key, v in (table.schema.metadata or {}).items()}
        confidence, regularisation = (
            float(about[name]) for name in ("confidence", "regularisation")
        )
        lists = table["vector"].combine_chunks()
        vectors = lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), -1)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise FactorsUnusableError(
            f"{path} is not a file of factors: {error}. See recommender/factors/files.py."
        ) from error
    songs = table["song"].to_pylist()
    if not len(songs) or len({*songs}) != len(songs) or not np.isfinite(vectors).all():
        raise FactorsUnusableError(
            f"{path} has no songs, duplicate songs or numbers that aren't finite; train again."
        )
    return SongFactors(
        songs=songs,
        vectors=vectors.astype(np.float32),
        n_choices=table["n_choices"].to_numpy().astype(np.int64),
        settings=Settings(vectors.shape[1], confidence, regularisation),
        method=about.get("method", "unknown"),
    )
