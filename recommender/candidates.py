"""The tracks worth scoring for one story, from the indexes: rows in, arrays for the engine out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils import timezone

from accounts.models import User
from recommender.engine.aims import aims
from recommender.engine.content import FEATURES, N_FEATURES, standardise
from recommender.engine.scoring import Candidates, Mood
from recommender.engine.songs import artist_keys
from recommender.engine.together import similarity
from recommender.models import POPULAR_FROM, Choice, Suggestion

NEAR_EACH_AIM = 50
POPULAR_NEAR_EACH_AIM = 16
SAVED_LATELY = timedelta(days=30)
SHOWN_LATELY = timedelta(days=14)
SHOWN_AT_MOST = 300

_COLUMNS = ", ".join(("id", "song_key", "artists", "popularity", *FEATURES))
_SOUND = "energy IS NOT NULL AND valence IS NOT NULL"
_FRESH = "(expires_at IS NULL OR expires_at > now())"
# Each aim's nearest tracks come from the GiST indexes on point(energy, valence); the rows are
# read where the index finds them, which spares a join over the whole table.
_ROWS = f"""
SELECT near.* FROM unnest(%(energy)s::float8[], %(valence)s::float8[]) AS aim(energy, valence)
CROSS JOIN LATERAL (
    (SELECT {_COLUMNS} FROM recommender_track WHERE {_SOUND} AND {_FRESH}
     ORDER BY point(energy, valence) <-> point(aim.energy, aim.valence) LIMIT {NEAR_EACH_AIM})
    UNION ALL
    (SELECT {_COLUMNS} FROM recommender_track
     WHERE {_SOUND} AND {_FRESH} AND popularity >= {POPULAR_FROM}
     ORDER BY point(energy, valence) <-> point(aim.energy, aim.valence)
     LIMIT {POPULAR_NEAR_EACH_AIM})
) AS near
UNION ALL
SELECT {_COLUMNS} FROM recommender_track
WHERE id = ANY(%(also)s::uuid[]) AND {_SOUND} AND {_FRESH}
"""  # noqa: S608  (nothing in it comes from outside)
_TOGETHER = """
WITH mine AS (
    SELECT DISTINCT track_id FROM (
        SELECT track_id FROM recommender_choice WHERE user_id = %(user)s
        ORDER BY created_at DESC LIMIT 50) AS latest
), others AS (
    SELECT mine.track_id AS saved, fellow.user_id FROM mine CROSS JOIN LATERAL (
        SELECT DISTINCT user_id FROM recommender_choice
        WHERE track_id = mine.track_id AND user_id <> %(user)s LIMIT 200) AS fellow
), pairs AS (
    SELECT others.saved, theirs.track_id, count(DISTINCT theirs.user_id) AS both_saved
    FROM others JOIN recommender_choice AS theirs ON theirs.user_id = others.user_id
    WHERE theirs.track_id <> others.saved
    GROUP BY others.saved, theirs.track_id ORDER BY both_saved DESC LIMIT 500
)
SELECT pairs.track_id, both_saved,
    (SELECT count(DISTINCT user_id) FROM recommender_choice WHERE track_id = pairs.track_id),
    (SELECT count(DISTINCT user_id) FROM recommender_choice WHERE track_id = pairs.saved)
FROM pairs
"""


@dataclass(frozen=True)
class Pool:
    """Candidates for the engine, and row by row what the engine does not score."""

    ids: list[UUID]
    songs: list[str]
    artists: list[frozenset[str]]
    features: Candidates

    @property
    def words(self) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """64 bits (n,) of every track's id, for the story's noise."""
        return np.array([track_id.int >> 64 for track_id in self.ids], dtype=np.uint64)


def gather(*, user: User, story_id: UUID, mood: Mood) -> Pool:
    """Tracks near the mood or saved by like-minded people, less what must not be shown."""
    together = saved_together(user)
    points = aims(mood)
    rows = _fetch(
        _ROWS,
        {"valence": points[:, 0].tolist(), "energy": points[:, 1].tolist(), "also": [*together]},
    )
    songs = _not_again(user, story_id)
    unique = {row[0]: row for row in rows if row[1] not in songs}
    return _pool([*unique.values()], together, _times_shown(user, story_id))


def saved_together(user: User) -> dict[UUID, float]:
    """Tracks that people saved who also saved what this person did, with how alike they are."""
    likeness: dict[UUID, float] = defaultdict(float)
    rows = _fetch(_TOGETHER, {"user": user.pk})
    if rows:
        tracks, both, first, second = zip(*rows, strict=True)
        for track, value in zip(tracks, similarity(both, first, second), strict=True):
            likeness[track] += float(value)
    return dict(likeness)


def _pool(
    rows: Sequence[tuple[Any, ...]], together: dict[UUID, float], shown: dict[UUID, int]
) -> Pool:
    ids = [row[0] for row in rows]
    raw = np.array([row[3:] for row in rows], dtype=np.float64).reshape(len(rows), 1 + N_FEATURES)
    popularity, audio = raw[:, 0] / 100.0, raw[:, 1:]
    points = audio[:, [FEATURES.index("valence"), FEATURES.index("energy")]]
    return Pool(
        ids=ids,
        songs=[row[1] for row in rows],
        artists=[artist_keys(row[2]) for row in rows],
        features=Candidates(
            mood_points=points,
            content=standardise(audio),
            popularity=popularity,
            together=np.array([together.get(i, 0.0) for i in ids]),
            shown_lately=np.array([shown.get(i, 0) for i in ids], dtype=np.int64),
        ),
    )


def _not_again(user: User, story_id: UUID) -> set[str]:
    """Songs saved lately with other stories, and those refused for this one, under any id."""
    since = timezone.now() - SAVED_LATELY
    saved = Choice.objects.filter(user=user, created_at__gte=since).exclude(story_id=story_id)
    refused = Suggestion.objects.filter(
        story_id=story_id, feedback=Suggestion.Feedback.NOT_THIS_ONE
    )
    return {
        song for rows in (saved, refused) for song in rows.values_list("track__song_key", flat=True)
    }


def _times_shown(user: User, story_id: UUID) -> dict[UUID, int]:
    """With how many other stories each track was lately shown to this person."""
    shown = Suggestion.objects.filter(user=user, shown_at__gte=timezone.now() - SHOWN_LATELY)
    others = shown.exclude(story_id=story_id).order_by("-shown_at")
    seen = {*others.values_list("track_id", "story_id")[:SHOWN_AT_MOST]}
    return Counter(track_id for track_id, _ in seen)


def _fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
