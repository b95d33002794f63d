"""Time decay of saves and age of releases."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.conf import settings

from recommender.engine.tracks.content import FloatArray

RELEASED = """
coalesce((release_year - 1970) * 365.25
    + (coalesce(substring(release_date from '^....-([0-9][0-9])')::int, 7) - 1) * 30.4
    + coalesce(substring(release_date from '^....-..-([0-9][0-9])')::int, 15), 'NaN')::float8
"""
"""SQL for the days from 1970 to a track's release, to within days; NaN if unknown.

What is no month or day counts as unknown: one such track must not cost everybody their music.
"""

# No track has 2^60 saves, and 2^60 is far from infinity.
_MOST_LEVEL = 60.0


def half_life() -> timedelta:
    """Return the time after which a save counts half as much."""
    return timedelta(days=settings.RECOMMENDER_TREND_HALF_LIFE_DAYS)


def half_lives(moment: datetime) -> float:
    """Return the number of half-lives from 1970 to this moment."""
    return moment.timestamp() / half_life().total_seconds()


def recent_saves(levels: FloatArray, n_saves: FloatArray, now: datetime) -> FloatArray:
    """Return decayed saves (n,) from columns of `TrackSaves` (n,), where level -inf means none.

    No save counts more than one of now. Levels of a shorter half-life, which stay until all saves
    are recounted, would say so.
    """
    saves: FloatArray = np.exp2(np.minimum(levels - half_lives(now), _MOST_LEVEL))
    return np.minimum(saves, n_saves)


def days_out(released: FloatArray, now: datetime) -> FloatArray:
    """Return days (n,) since RELEASED (n,); NaN if unknown."""
    return now.timestamp() / timedelta(days=1).total_seconds() - released
