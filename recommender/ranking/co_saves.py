"""Tracks saved by people who saved what the listener did."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from recommender.catalogue import demo_tracks, shared_tracks
from recommender.engine.item_similarity import similarity
from recommender.ranking.listener import Listener
from recommender.ranking.sql import fetch_rows


def _saves_of(column: str) -> str:
    saves = f"SELECT n_saves FROM recommender_tracksaves WHERE track_id = {column}"  # noqa: S608
    return f"greatest(coalesce(({saves}), 1), 1)"


# Every step has a LIMIT so that the cost doesn't grow with the site: the listener's latest tracks,
# a sample of other people who saved each, and those people's latest tracks. Save counts are scaled
# to the sample. Tracks that aren't in use are filtered out later, by the query for the pool. Every
# order is total, so the same saves always give the same sums.
_CO_SAVES = f"""
WITH mine AS (
    SELECT DISTINCT track_id FROM (
        SELECT track_id FROM recommender_choice
        WHERE user_id = %(user)s AND learns AND {shared_tracks.USED}
        ORDER BY created_at DESC, id LIMIT 12) AS latest
), others AS (
    SELECT mine.track_id AS saved, fellow.user_id FROM mine CROSS JOIN LATERAL (
        SELECT DISTINCT user_id FROM (
            SELECT user_id FROM recommender_choice
            WHERE track_id = mine.track_id AND user_id <> %(user)s AND learns
            ORDER BY created_at DESC, id LIMIT 15) AS chosen) AS fellow
), theirs AS (
    SELECT fellow.user_id, track_id FROM (SELECT DISTINCT user_id FROM others) AS fellow
    CROSS JOIN LATERAL (
        SELECT DISTINCT track_id FROM (
            SELECT track_id FROM recommender_choice
            WHERE user_id = fellow.user_id AND learns AND {shared_tracks.USED}
            ORDER BY created_at DESC, id LIMIT 30) AS chosen) AS latest
), pairs AS (
    SELECT others.saved, theirs.track_id, count(*) AS both_saved
    FROM others JOIN theirs USING (user_id)
    WHERE theirs.track_id <> others.saved
    GROUP BY others.saved, theirs.track_id
    ORDER BY both_saved DESC, saved, track_id LIMIT 200
), counted AS (
    SELECT saved, count(*)::float8 AS n FROM others GROUP BY saved
)
SELECT pairs.track_id, pairs.both_saved, counted.n,
    {_saves_of("pairs.track_id")} * least(1.0, counted.n / {_saves_of("pairs.saved")})
FROM pairs JOIN counted USING (saved)
ORDER BY pairs.saved, pairs.track_id
"""  # noqa: S608


def co_saves_of(listener: Listener) -> dict[UUID, float]:
    """Return co-saved tracks with their summed similarity to the listener's tracks."""
    summed: dict[UUID, float] = defaultdict(float)
    parameters = {"user": listener.user_id, **demo_tracks.parameters(listener.demo_in_use)}
    rows = fetch_rows(_CO_SAVES, parameters)
    if rows:
        tracks, both, first, second = zip(*rows, strict=True)
        for track, value in zip(tracks, similarity(both, first, second), strict=True):
            summed[track] += float(value)
    return dict(summed)
