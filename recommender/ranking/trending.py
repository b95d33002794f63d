"""How time counts: saves fade in half-lives, releases age in days."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.conf import settings

from recommender.engine.tracks.content import FloatArray

RELEASED = """
coalesce((release_year - 1970) * 365.25
    + (coalesce(nullif(substr(release_date, 6, 2), '')::int, 7) - 1) * 30.4
    + coalesce(nullif(substr(release_date, 9, 2), '')::int, 15), 'NaN')::float8
"""
"""In SQL, days from 1970 to a track's release, to within days; NaN where unknown."""


def half_life() -> timedelta:
    """After how long a save counts half as much."""
    return timedelta(days=settings.RECOMMENDER_TREND_HALF_LIFE_DAYS)


def half_lives(moment: datetime) -> float:
    """From 1970 to this moment."""
    return moment.timestamp() / half_life().total_seconds()


def recent_saves(levels: FloatArray, now: datetime) -> FloatArray:
    """Saves (n,), each counting by its age, of `TrackSaves.level` (n,); -inf is none."""
    saves: FloatArray = np.exp2(levels - half_lives(now))
    return saves


def days_out(released: FloatArray, now: datetime) -> FloatArray:
    """Days (n,) since RELEASED (n,); NaN where unknown."""
    return now.timestamp() / timedelta(days=1).total_seconds() - released
