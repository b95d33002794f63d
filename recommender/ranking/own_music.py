"""Candidates from the listener's own library, which nobody else gets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recommender.models import LibraryTrack
from recommender.ranking.listener import Listener
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.sql import fetch_rows

NEAR = 200
# With so many tracks of one's own, generated demo tunes are left out.
ENOUGH = 10

# Where a candidate came from; the least counts where it came from several.
SHARED, OWN, RECOMMENDED = 0, 1, 2
_IS_RECOMMENDED = f"source = '{LibraryTrack.Source.RECOMMENDED.value}'"
_ORIGIN = f"min(CASE WHEN {_IS_RECOMMENDED} THEN {RECOMMENDED} ELSE {OWN} END)"
_USABLE = """
user_id = %(user)s AND expires_at > now() AND source = ANY(%(library_sources)s::text[])
AND valence IS NOT NULL AND energy IS NOT NULL
"""
# By the same quadratic in valence and energy as in the factor index.
_NEAREST = f"""
SELECT track_id, {_ORIGIN} FROM recommender_librarytrack WHERE {_USABLE}
GROUP BY track_id
ORDER BY %(vv)s::float8 * (min(valence) - %(v)s::float8) ^ 2
    + %(ve)s::float8 * (min(valence) - %(v)s::float8) * (min(energy) - %(e)s::float8)
    + %(ee)s::float8 * (min(energy) - %(e)s::float8) ^ 2
LIMIT %(near_own)s
"""  # noqa: S608  (nothing in it comes from outside)
_EVERY = f"""
SELECT track_id, {_ORIGIN} FROM recommender_librarytrack WHERE {_USABLE} GROUP BY track_id
"""  # noqa: S608
_COUNT = f"""
SELECT count(*) FROM (
    SELECT FROM recommender_librarytrack WHERE {_USABLE} LIMIT {ENOUGH}) AS usable
"""  # noqa: S608
# Songs that the listener has under any id, for a query of recommender_track AS track.
KNOWN = f"""
EXISTS (SELECT FROM recommender_librarytrack
    WHERE user_id = %(user)s AND song_key = track.song_key AND NOT {_IS_RECOMMENDED})
"""


def nearest(listener: Listener, music: MusicScope, mood_terms: dict[str, float]) -> dict[UUID, int]:
    """Return the listener's tracks nearest to the mood, with their origin."""
    # Filters apply later, and may leave out the nearest.
    near = 5 * NEAR if listener.preferences.n_filters else NEAR
    return _fetch(_NEAREST, listener, music, {**mood_terms, "near_own": near})


def every(listener: Listener, music: MusicScope) -> dict[UUID, int]:
    """Return all of the listener's usable tracks, with their origin."""
    return _fetch(_EVERY, listener, music, {})


def is_enough(listener: Listener, music: MusicScope) -> bool:
    """Whether the listener's own music makes demo tracks needless."""
    if listener.user_id is None:
        return False
    ((count,),) = fetch_rows(_COUNT, _parameters(listener, music), using="default")
    return bool(count >= ENOUGH)


def _fetch(
    sql: str, listener: Listener, music: MusicScope, more: dict[str, float]
) -> dict[UUID, int]:
    if listener.user_id is None:
        return {}
    # A replica may lag behind somebody who has just disconnected.
    return dict(fetch_rows(sql, {**_parameters(listener, music), **more}, using="default"))


def _parameters(listener: Listener, music: MusicScope) -> dict[str, Any]:
    return {"user": listener.user_id, "library_sources": music.library_sources}
