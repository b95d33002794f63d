"""Decide whether demo tracks are in use: only while no catalogue has been imported.

Everything that suggests, searches, counts or learns checks this each time, so every process
notices as soon as the first imported track is committed or the last one is deleted. Derived data
(taste profiles and the index of factors) records which case it was computed for and is computed
again when that changes. Tracks that were shown or saved stay with their stories.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q

from recommender.models import IMPORTED, Track

# SQL conditions on a track row and on a column with a track id; run with `parameters`.
USED = f"(%(demo_in_use)s OR source <> '{Track.Source.DEMO.value}')"
_USED_BY_ID = f"""(%(demo_in_use)s
    OR (SELECT source FROM recommender_track WHERE id = {{column}}) <> '{Track.Source.DEMO.value}')
"""  # noqa: S608

OUT_OF_USE = (
    "This site now has an imported catalogue, so demo tracks are no longer suggested or counted. "
    "What you saved stays with its stories."
)


def in_use() -> bool:
    """Whether demo tracks are suggested and learned from."""
    if settings.RECOMMENDER_DEMO_TRACKS:
        return True
    # Ordered so that Postgres uses the partial index of imported tracks: EXISTS would scan the
    # table, which is slow where most tracks have no mood yet.
    return not Track.objects.filter(IMPORTED).order_by("source").values_list("source")[:1]


def used(path: str = "") -> Q:
    """A filter for tracks in use, or for rows that refer to one by `path` ("track__")."""
    return Q() if in_use() else ~Q(**{f"{path}source": Track.Source.DEMO})


def used_by_id(column: str) -> str:
    """USED for a column that holds a track id."""
    return _USED_BY_ID.format(column=column)


def parameters(demo_in_use: bool | None = None) -> dict[str, Any]:
    """Query parameters for USED and `used_by_id`."""
    return {"demo_in_use": in_use() if demo_in_use is None else demo_in_use}
