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


def half_life() -> timedelta:
    """Return the time after which a save counts half as much."""
    return timedelta(days=settings.RECOMMENDER_TREND_HALF_LIFE_DAYS)


def half_lives(moment: datetime) -> float:
    """Return the number of half-lives from 1970 to this moment."""
    return moment.timestamp() / half_life().total_seconds()


def recent_saves(levels: FloatArray, now: datetime) -> FloatArray:
    """Return decayed saves (n,) from `TrackSaves.level` (n,), where -inf means none."""
    saves: FloatArray = np.exp2(levels - half_lives(now))
    return saves


def days_out(released: FloatArray, now: datetime) -> FloatArray:
    """Return days (n,) since RELEASED (n,); NaN if unknown."""
    return now.timestamp() / timedelta(days=1).total_seconds() - released
