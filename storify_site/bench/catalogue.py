"""Catalogues and choices of any size for benchmarks, sampled from real ones if available."""

from pathlib import Path
from typing import Any

import numpy as np

_JITTERED = ("danceability", "energy", "valence", "acousticness", "liveness")
_AT_ONCE = 100_000
_LETTERS = np.array(list("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def write_tracks(path: Path, n: int, real: Path | None, *, seed: int = 0) -> None:
    """Write a Parquet file of `n` tracks.

    They are real ones with new ids, new titles and a little noise, or invented ones without data.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    source = pq.read_table(real) if real else _made_up(rng)
    source = source.filter(pc.is_valid(source["energy"]))
    schema = source.schema
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n, _AT_ONCE):
            part = source.take(rng.integers(0, len(source), min(_AT_ONCE, n - start)))
            writer.write_table(_other(part, start, rng).cast(schema))


def _other(part: Any, start: int, rng: np.random.Generator) -> Any:
    import pyarrow as pa

    ids = ["".join(row) for row in _LETTERS[rng.integers(0, 62, (len(part), 22))]]
    names = [f"{name} {start + row}" for row, name in enumerate(part["name"].to_pylist())]
    for column, values in (("track_id", ids), ("name", names)):
        part = part.set_column(part.column_names.index(column), column, pa.array(values))
    for column in _JITTERED:
        values = part[column].to_numpy(zero_copy_only=False)
        noisy = np.clip(values + rng.normal(0, 0.02, len(part)), 0, 1)
        part = part.set_column(
            part.column_names.index(column), column, pa.array(noisy, from_pandas=True)
        )
    return part


def _made_up(rng: np.random.Generator, n: int = 20_000) -> Any:
    import pyarrow as pa

    mood = rng.multivariate_normal([0.51, 0.61], [[0.064, 0.019], [0.019, 0.057]], n).clip(0, 1)
    names = ("danceability", "speechiness", "acousticness", "instrumentalness", "liveness")
    return pa.table(
        {
            "track_id": [f"bench{row:017d}" for row in range(n)],
            "name": [f"Song {row}" for row in range(n)],
            "artists": [[f"Artist {row % 3000}"] for row in range(n)],
            "album": [f"Album {row % 6000}" for row in range(n)],
            "popularity": rng.integers(0, 101, n),
            "valence": mood[:, 0],
            "energy": mood[:, 1],
            **dict(zip(names, rng.beta(2, 3, (len(names), n)), strict=True)),
            "key": np.arange(n) % 12,
            "mode": np.arange(n) % 2,
            "loudness": np.full(n, -8.5),
            "tempo": np.full(n, 120.0),
            "duration_ms": np.full(n, 200_000),
        }
    )
