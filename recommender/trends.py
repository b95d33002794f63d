"""Time in half-lives, the unit in which saves fade."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings


def half_life() -> timedelta:
    """After how long a save counts half as much."""
    return timedelta(days=settings.RECOMMENDER_TREND_HALF_LIFE_DAYS)


def half_lives(moment: datetime) -> float:
    """From 1970 to this moment."""
    return moment.timestamp() / half_life().total_seconds()
