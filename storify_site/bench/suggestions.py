"""Suggestions benchmark: import, ranking, and moving the mood over HTTP."""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

from storify_site.bench.catalogue import write_tracks
from storify_site.bench.figures import quantile
from storify_site.bench.photos import signed_in
from storify_site.bench.site import Site, manage, manage_measured

# Largest file to import at once; a larger catalogue takes several.
FILE_ROWS = 1_000_000
DRAGS = 100


def measure_suggestions(site: Site, tracks: int, data: Path | None, recall: int) -> dict[str, Any]:
    """Fill the catalogue up to `tracks`, then time suggestions and moves of the mood point."""
    real = _file(data, "tracks.parquet")
    imports = fill_catalogue(site.environment, tracks, real)
    interactions = _file(data, "interactions.parquet")
    chosen = ["--interactions", os.fspath(interactions)] if interactions else []
    people = json.loads(manage(site.environment, "bench_people", *chosen))
    measured = manage(site.environment, "bench_suggestions", "--recall", str(recall), "--json")
    return {
        **json.loads(measured),
        "people": people,
        "import": max(imports, key=lambda figures: figures["rows"]),
        "drag": _drag(site),
    }


def _file(data: Path | None, name: str) -> Path | None:
    path = data / "music" / name if data else None
    return path if path and path.is_file() else None


def fill_catalogue(
    environment: dict[str, str], tracks: int, real: Path | None
) -> list[dict[str, Any]]:
    """Import real tracks, if any, and generated ones up to `tracks`; figures of each import."""
    imports = [_import(environment, real)] if real else []
    n_tracks = sum(figures["rows"] for figures in imports)
    drawn = Path(environment["VAR_DIR"]) / "drawn.parquet"
    while n_tracks < tracks:
        write_tracks(drawn, min(FILE_ROWS, tracks - n_tracks), real, seed=n_tracks)
        imports.append(_import(environment, drawn))
        n_tracks += imports[-1]["rows"]
        drawn.unlink()
    return imports


def _import(environment: dict[str, str], path: Path) -> dict[str, Any]:
    started = time.perf_counter()
    printed, megabytes = manage_measured(environment, "import_tracks", os.fspath(path), "--json")
    return {
        "rows": json.loads(printed)["accepted"],
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": round(megabytes),
    }


def _drag(site: Site) -> dict[str, float]:
    """Milliseconds from moving the mood point to the new list, over HTTP."""
    chance, milliseconds = random.Random(0), []
    with signed_in(site) as client:
        stories = client.get("/api/v1/stories/").raise_for_status().json()["results"]
        address = f"/api/v1/stories/{stories[0]['id']}/"
        for _ in range(DRAGS):
            mood = {"valence": chance.random(), "energy": chance.random()}
            started = time.perf_counter()
            client.patch(address, json={"mood": mood}).raise_for_status()
            milliseconds.append((time.perf_counter() - started) * 1000)
    return {
        "n": DRAGS,
        "p50_ms": quantile(milliseconds, 50),
        "p95_ms": quantile(milliseconds, 95),
    }
