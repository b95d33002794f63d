"""Bulk upsert of tracks: COPY into a temporary table, then one INSERT … ON CONFLICT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from recommender.catalogue.importing.columns import COLUMNS
from recommender.services.intensity import (
    classify_all,
    fit_for,
    level_parameters,
    level_sql,
)
from recommender.services.search_words import learn_words

_TEXTS = ("isrc", "album", "release_date", "genre", "genre_family", "language")
_SET = [name for name in COLUMNS if name not in ("source_id", "id")]
_INCOMING_OF = [
    f"coalesce(staged.{name}, '')" if name in _TEXTS else f"staged.{name}" for name in _SET
]
_INCOMING = ", ".join(_INCOMING_OF)
_KEPT = ", ".join(
    f"coalesce(nullif(excluded.{name}, ''), track.{name})"
    if name in _TEXTS
    else f"coalesce(excluded.{name}, track.{name})"
    for name in _SET
)
_STAGE = f"""
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT 0::bigint AS place, {", ".join(COLUMNS)} FROM recommender_track WITH NO DATA
"""  # noqa: S608  (column names of this file)
# Of one id that comes several times, the first counts.
_UNREPEATED = f"""
CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
SELECT DISTINCT ON (source_id) place, {", ".join(COLUMNS)} FROM staged
ORDER BY source_id, place
"""  # noqa: S608
_UNKNOWN = """
DELETE FROM incoming AS staged WHERE title IS NULL AND NOT EXISTS (
    SELECT FROM recommender_track AS track
    WHERE track.source = %(source)s AND track.source_id = staged.source_id
) RETURNING place
"""
_FILL = """
UPDATE incoming SET title = track.title, artists = track.artists,
    song_key = track.song_key, search_text = track.search_text
FROM recommender_track AS track
WHERE incoming.title IS NULL AND track.source = %(source)s
  AND track.source_id = incoming.source_id
"""
_LEVEL = level_sql(lambda name: f"staged.{name}")
_LEVEL_OF_KEPT = level_sql(lambda name: f"coalesce(excluded.{name}, track.{name})")
_UPSERT = f"""
WITH written AS (
    INSERT INTO recommender_track AS track
        (source, id, source_id, artwork_url, spotify_url, {", ".join(_SET)}, intensity)
    SELECT %(source)s, coalesce(staged.id, gen_random_uuid()), staged.source_id, '', '',
        {_INCOMING}, {_LEVEL}
    FROM incoming AS staged
    ON CONFLICT (source, source_id) DO UPDATE
    SET ({", ".join(_SET)}, intensity) = ROW({_KEPT}, {_LEVEL_OF_KEPT})
    WHERE ({", ".join(f"track.{name}" for name in _SET)}) IS DISTINCT FROM ROW({_KEPT})
    RETURNING track.xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""  # noqa: S608

_CHANGES = f"""
SELECT count(*) FILTER (WHERE track.id IS NULL),
    count(*) FILTER (WHERE track.id IS NOT NULL
        AND ({", ".join(f"track.{name}" for name in _SET)}) IS DISTINCT FROM ROW({_KEPT}))
FROM (
    SELECT staged.source_id, {", ".join(map(" AS ".join, zip(_INCOMING_OF, _SET, strict=True)))}
    FROM incoming AS staged
) AS excluded LEFT JOIN recommender_track AS track
    ON track.source = %(source)s AND track.source_id = excluded.source_id
"""  # noqa: S608


class Row(NamedTuple):
    """A track to write: its line in the file, and values in the order of COLUMNS."""

    place: int
    values: tuple[Any, ...]


class Written(NamedTuple):
    """Counts of written rows."""

    new: int
    updated: int
    unchanged: int
    repeated: int
    unknown: list[int]
    """Places of rows that have no title and describe no track that is there."""


@transaction.atomic
def write_tracks(*, source: str, rows: Iterable[Row], check: bool = False) -> Written:
    """Add or update the tracks of a source; of an id that comes twice the first row counts.

    With `check` nothing is written but temporary tables, and the counts are those of what would be.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        received = _copy(cursor, rows)
        cursor.execute(_UNREPEATED)
        distinct = cursor.rowcount
        cursor.execute(_UNKNOWN, {"source": source})
        unknown = [place for (place,) in cursor.fetchall()]
        cursor.execute(_FILL, {"source": source})
        new, updated = _count(cursor, source) if check else _write(cursor, source, distinct)
        cursor.execute("DROP TABLE staged, incoming")
    unchanged = distinct - len(unknown) - new - updated
    return Written(new, updated, unchanged, received - distinct, unknown)


def _count(cursor: CursorWrapper, source: str) -> tuple[int, int]:
    cursor.execute(_CHANGES, {"source": source})
    new, updated = cursor.fetchone() or (0, 0)
    return new, updated


def _write(cursor: CursorWrapper, source: str, distinct: int) -> tuple[int, int]:
    fit, is_new = fit_for("incoming", distinct)
    cursor.execute(_UPSERT, {"source": source, **level_parameters(fit)})
    new, updated = cursor.fetchone() or (0, 0)
    learn_words("incoming")
    if fit and is_new:
        classify_all(fit)
    cursor.execute("ANALYZE recommender_track, recommender_searchword")
    return new, updated


def _copy(cursor: CursorWrapper, rows: Iterable[Row]) -> int:
    received = 0
    with cursor.copy(f"COPY staged (place, {', '.join(COLUMNS)}) FROM STDIN") as copy:
        for place, values in rows:
            copy.write_row((place, *values))
            received += 1
    return received
