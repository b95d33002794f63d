"""Counting saves, ever and lately: at once with every save, exactly again every night."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from recommender import trends

# log2(2^a + 2^b), without numbers so large or so small that they fail.
_ADD = """
INSERT INTO recommender_tracksaves AS saves (track_id, n_saves, level)
VALUES (%(track)s, 1, %(level)s)
ON CONFLICT (track_id) DO UPDATE SET
    n_saves = saves.n_saves + 1,
    level = greatest(saves.level, excluded.level)
        + ln(1 + 2 ^ greatest(-abs(saves.level - excluded.level), -60)) / ln(2)
"""
# Relative to the track's last save no power is large; saves faded by 2^60 count nothing.
_COUNT = """
INSERT INTO recommender_tracksaves (track_id, n_saves, level)
SELECT track_id, count(*), max(last) + ln(sum(2 ^ greatest(at - last, -60))) / ln(2)
FROM (
    SELECT track_id, extract(epoch FROM created_at) / %(half_life)s AS at,
        max(extract(epoch FROM created_at) / %(half_life)s) OVER (PARTITION BY track_id) AS last
    FROM recommender_choice
    WHERE learns AND (%(all)s OR track_id = ANY(%(tracks)s::uuid[]))
) AS choice
GROUP BY track_id
"""


def add_save(*, track_id: UUID, at: datetime) -> None:
    """Count one more save of the track."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"track": track_id, "level": trends.half_lives(at)})


@transaction.atomic
def recount_saves(*, track_ids: Iterable[UUID] | None = None) -> None:
    """Count the saves of these tracks anew; of all tracks without `track_ids`.

    Needed where saves went away, and for all when the half-life has been changed.
    """
    tracks = [*track_ids] if track_ids is not None else []
    parameters: dict[str, Any] = {
        "tracks": tracks,
        "all": track_ids is None,
        "half_life": trends.half_life().total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM recommender_tracksaves"
            " WHERE %(all)s OR track_id = ANY(%(tracks)s::uuid[])",
            parameters,
        )
        cursor.execute(_COUNT, parameters)
