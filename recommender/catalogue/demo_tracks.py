"""Whether demo tracks are in use: only for as long as no catalogue has been imported.

Everything that suggests, offers, counts or learns asks here, each time anew: so it holds in every
process from the commit that brings the first imported track, or takes the last, on. What is
worked out ahead, taste profiles and arranged factors, notes for which of the two it was, and is
worked out again when that has changed. What was shown and saved stays with its stories.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q

from recommender.models import IMPORTED, Track

# In SQL, of a row of tracks and of any row that refers to one; run with `parameters`.
USED = f"(%(demo_in_use)s OR source <> '{Track.Source.DEMO.value}')"
_USED_BY_ID = f"""(%(demo_in_use)s
    OR (SELECT source FROM recommender_track WHERE id = {{column}}) <> '{Track.Source.DEMO.value}')
"""  # noqa: S608

OUT_OF_USE = (
    "This site now has an imported catalogue, so demo tunes are no longer suggested or counted. "
    "What you saved stays with its stories."
)


def in_use() -> bool:
    """Whether demo tracks are suggested and learned from."""
    if settings.RECOMMENDER_DEMO_TRACKS:
        return True
    # In the order of an index that holds these tracks only; EXISTS would read the table from its
    # start, which may take long where most tracks have no mood yet.
    return not Track.objects.filter(IMPORTED).order_by("source").values_list("source")[:1]


def used(path: str = "") -> Q:
    """The tracks that are in use, or with `path` what refers to them by it ("track__")."""
    return Q() if in_use() else ~Q(**{f"{path}source": Track.Source.DEMO})


def used_by_id(column: str) -> str:
    """USED for a column that holds a track's id."""
    return _USED_BY_ID.format(column=column)


def parameters(demo_in_use: bool | None = None) -> dict[str, Any]:
    """What USED and `used_by_id` are to be run with."""
    return {"demo_in_use": in_use() if demo_in_use is None else demo_in_use}
