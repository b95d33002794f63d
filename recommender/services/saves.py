"""Count saves, in total and with decay: with every save, and from scratch every night."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.transactions import atomic_with_retry
from recommender.catalogue.shared_tracks import SHARED
from recommender.models import Choice, TrackSaves
from recommender.ranking import trending

# log2(2^a + 2^b), without overflow or underflow.
_ADD = f"""
INSERT INTO recommender_tracksaves AS saves (track_id, n_saves, level)
SELECT id, 1, %(level)s FROM recommender_track WHERE id = %(track)s AND {SHARED}
ON CONFLICT (track_id) DO UPDATE SET
    n_saves = saves.n_saves + 1,
    level = greatest(saves.level, excluded.level)
        + ln(1 + 2 ^ greatest(-abs(saves.level - excluded.level), -60)) / ln(2)
"""  # noqa: S608
# Rows are never deleted, so locking one keeps others from counting the same track.
_MAKE = f"""
INSERT INTO recommender_tracksaves (track_id, n_saves, level)
SELECT id, 0, '-Infinity' FROM recommender_track
WHERE id = ANY(%(tracks)s::uuid[]) AND {SHARED} ORDER BY id
ON CONFLICT DO NOTHING
"""  # noqa: S608
_LOCK = """
SELECT FROM recommender_tracksaves WHERE track_id = ANY(%(tracks)s::uuid[])
ORDER BY track_id FOR UPDATE
"""
# Powers are relative to the track's last save, to avoid overflow; a decay of 2^60 counts as zero.
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
    """Count one more save of the track, unless it's private; call it last in the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"track": track_id, "level": trending.half_lives(at)})


def recount_saves(*, track_ids: Iterable[UUID] | None = None) -> None:
    """Recount the saves of these tracks, by default of all.

    Needed when saves are removed, and for all tracks when the half-life changes. Safe beside
    concurrent changes, which update the counts before they commit, with the track's row locked.
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
    """Every track with a save or a count."""
    chosen = Choice.objects.filter(learns=True).order_by().values_list("track_id", flat=True)
    return {*chosen.distinct(), *TrackSaves.objects.values_list("pk", flat=True)}
