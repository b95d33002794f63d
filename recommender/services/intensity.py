"""Learn the intensity classes from the whole catalogue, and store each track's class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.transactions import atomic_with_retry
from recommender import selectors
from recommender.catalogue import demo_tracks, shared_tracks
from recommender.engine.tracks.intensity import (
    FEATURES,
    LEVELS,
    IntensityFit,
    TooFewTracksError,
    fit_intensity,
)
from recommender.models import IntensityModel, Track

# More tracks would move the cuts by less than the classes are worth.
SAMPLE = 200_000
# A catalogue that has grown by this factor is another one.
GROWN = 2


@atomic_with_retry
def refit_intensity() -> IntensityFit | None:
    """Refit the classes and reclassify every track; None while there are too few tracks."""
    fit = _learn(Track._meta.db_table)
    if fit is not None:
        classify_all(fit)
    return fit


def fit_for(table: str, n_tracks: int) -> tuple[IntensityFit | None, bool]:
    """Return the current fit, refitted if `table` adds far more tracks than it was fitted to,
    and whether it was refitted."""
    fit = selectors.intensity_fit()
    if fit is None or n_tracks > GROWN * fit.n_tracks:
        learned = _learn(table)
        return learned or fit, learned is not None
    return fit, False


def classify_all(fit: IntensityFit) -> int:
    """Update every track whose class has changed; return how many."""
    level = level_sql(lambda name: name)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE recommender_track SET intensity = {level}"  # noqa: S608  (columns only)
            f" WHERE intensity IS DISTINCT FROM {level}",
            level_parameters(fit),
        )
        return int(cursor.rowcount)


def level_sql(column: Callable[[str], str]) -> str:
    """The class of a row whose features are `column(name)`; "" without energy or without a fit."""
    terms = " + ".join(
        f"coalesce(({column(name)} - %(mean_{name})s::float8) * %(weight_{name})s::float8, 0)"
        for name in FEATURES
    )
    return (
        f"CASE WHEN {column('energy')} IS NULL OR %(low)s::float8 IS NULL THEN ''"
        f" WHEN {terms} < %(low)s::float8 THEN '{LEVELS[0]}'"
        f" WHEN {terms} < %(high)s::float8 THEN '{LEVELS[1]}' ELSE '{LEVELS[2]}' END"
    )


def level_parameters(fit: IntensityFit | None) -> dict[str, float | None]:
    """The query parameters of `level_sql`."""
    unknown = [None] * len(FEATURES)
    means, weights, cuts = (
        (fit.means, fit.weights, fit.cuts) if fit else (unknown, unknown, unknown)
    )
    return {
        **{f"mean_{name}": value for name, value in zip(FEATURES, means, strict=True)},
        **{f"weight_{name}": value for name, value in zip(FEATURES, weights, strict=True)},
        "low": cuts[0],
        "high": cuts[1],
    }


def _learn(table: str) -> IntensityFit | None:
    try:
        fit = fit_intensity(_sample(table))
    except TooFewTracksError:
        return None
    IntensityModel.objects.create(fitted_at=timezone.now(), parameters=fit.to_json())
    return fit


def _sample(table: str) -> list[tuple[Any, ...]]:
    """Features of all tracks, or of a large enough random sample."""
    columns = ", ".join(FEATURES)
    described = "energy IS NOT NULL"
    if table == Track._meta.db_table:
        described += f" AND {shared_tracks.USED}"
    used = demo_tracks.parameters()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {described}", used)  # noqa: S608
        (n_tracks,) = cursor.fetchone() or (0,)
        share = min(100.0, 100.0 * SAMPLE / max(n_tracks, 1))
        cursor.execute(
            f"SELECT {columns} FROM {table}"  # noqa: S608
            f" TABLESAMPLE BERNOULLI (%(share)s) REPEATABLE (0) WHERE {described}",
            {"share": share, **used},
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
