"""A catalogue to measure with, and how long suggestions over it take."""

import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from storify_site.bench.site import manage


def measure_suggestions(
    environment: dict[str, str], tracks: int, data: Path | None
) -> dict[str, Any]:
    """Import a catalogue and time suggest_tracks on it, in a process that knows this database."""
    catalogue = data / "music" / "tracks.parquet" if data else None
    folder = Path(environment["VAR_DIR"])
    if not (catalogue and catalogue.is_file()):
        catalogue = folder / "catalogue.csv"
        _write_catalogue(catalogue, tracks)
    started = time.perf_counter()
    manage(environment, "import_tracks", os.fspath(catalogue), "--json")
    imported = time.perf_counter() - started
    measured = manage(environment, "bench_suggestions", "--json")
    return {**json.loads(measured), "import_seconds": round(imported, 1)}


def _write_catalogue(path: Path, n: int) -> None:
    random = np.random.default_rng(0)
    mood = random.multivariate_normal([0.51, 0.61], [[0.064, 0.019], [0.019, 0.057]], n).clip(0, 1)
    names = ("danceability", "speechiness", "acousticness", "instrumentalness", "liveness")
    rest = random.beta(2, 3, (n, len(names)))
    header = ("track_id", "track_name", "artists", "album_name", "popularity", "valence", "energy")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *names, "key", "mode", "loudness", "tempo", "duration_ms"])
        for row in range(n):
            own = (
                f"bench{row:017d}",
                f"Song {row}",
                f"Artist {row % 9000}",
                f"Album {row % 20000}",
            )
            numbers = [round(float(value), 4) for value in (*mood[row], *rest[row])]
            popularity, last = int(random.integers(0, 101)), [row % 12, row % 2, -8.5, 120, 200_000]
            writer.writerow([*own, popularity, *numbers, *last])
