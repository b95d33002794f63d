"""Counting saves, ever and lately: at once with every save, exactly again every night."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.transactions import atomic_with_retry
from recommender.models import Choice, TrackSaves
from recommender.ranking import trending

# log2(2^a + 2^b), without numbers so large or so small that they fail.
_ADD = """
INSERT INTO recommender_tracksaves AS saves (track_id, n_saves, level)
VALUES (%(track)s, 1, %(level)s)
ON CONFLICT (track_id) DO UPDATE SET
    n_saves = saves.n_saves + 1,
    level = greatest(saves.level, excluded.level)
        + ln(1 + 2 ^ greatest(-abs(saves.level - excluded.level), -60)) / ln(2)
"""
# A row once made stays, so that locking it keeps everybody else from counting the same track.
_MAKE = """
INSERT INTO recommender_tracksaves (track_id, n_saves, level)
SELECT id, 0, '-Infinity' FROM recommender_track WHERE id = ANY(%(tracks)s::uuid[]) ORDER BY id
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT FROM recommender_tracksaves WHERE track_id = ANY(%(tracks)s::uuid[])
ORDER BY track_id FOR UPDATE
"""
# Relative to the track's last save no power is large; saves faded by 2^60 count nothing.
_COUNT = """
WITH counted AS (
    SELECT track_id, count(*) AS n,
        max(last) + ln(sum(2 ^ greatest(at - last, -60))) / ln(2) AS level
    FROM (
        SELECT track_id, extract(epoch FROM created_at) / %(half_life)s AS at,
            max(extract(epoch FROM created_at) / %(half_life)s) OVER (PARTITION BY track_id) AS last
        FROM recommender_choice WHERE learns AND track_id = ANY(%(tracks)s::uuid[])
    ) AS choice
    GROUP BY track_id
)
UPDATE recommender_tracksaves AS saves
SET n_saves = coalesce(counted.n, 0), level = coalesce(counted.level, '-Infinity')
FROM unnest(%(tracks)s::uuid[]) AS track(id) LEFT JOIN counted ON counted.track_id = track.id
WHERE saves.track_id = track.id
"""
_AT_ONCE = 1000


def add_save(*, track_id: UUID, at: datetime) -> None:
    """Count one more save of the track: the last thing that its transaction does."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"track": track_id, "level": trending.half_lives(at)})


def recount_saves(*, track_ids: Iterable[UUID] | None = None) -> None:
    """Count the saves of these tracks anew; of all tracks without `track_ids`.

    Needed where saves went away, and for all when the half-life has been changed. Exact whatever
    happens meanwhile: who changes a save counts it, with the track's row locked, before it commits.
    """
    tracks = sorted({*(_all_saved() if track_ids is None else track_ids)})
    for start in range(0, len(tracks), _AT_ONCE):
        _recount(tracks[start : start + _AT_ONCE])


@atomic_with_retry
def _recount(tracks: list[UUID]) -> None:
    parameters: dict[str, Any] = {
        "tracks": tracks,
        "half_life": trending.half_life().total_seconds(),
    }
    with connection.cursor() as cursor:
        for statement in (_MAKE, _LOCK, _COUNT):
            cursor.execute(statement, parameters)


def _all_saved() -> set[UUID]:
    """Every track that was saved, or was counted as such."""
    chosen = Choice.objects.filter(learns=True).order_by().values_list("track_id", flat=True)
    return {*chosen.distinct(), *TrackSaves.objects.values_list("pk", flat=True)}
