"""The best-scored candidates, with the data that reranking needs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recommender.engine.tracks.content import FloatArray
from recommender.engine.tracks.song_keys import artist_keys
from recommender.ranking.candidate_sources import Pool
from recommender.ranking.sql import fetch_rows

# Reranking sees this many.
SHORTLIST = 150

_LISTED = """
SELECT id, song_key, artists, genre_family, release_year FROM recommender_track
WHERE id = ANY(%(ids)s::uuid[])
"""


@dataclass(frozen=True)
class Shortlist:
    """Some rows of a pool, with what reranking needs."""

    rows: NDArray[np.int64]
    ids: list[UUID]
    songs: list[str]
    artists: list[frozenset[str]]
    genres: list[str]
    years: FloatArray

    @property
    def words(self) -> NDArray[np.uint64]:
        """64 bits (n,) of every track's id, for the story's noise."""
        return np.array([track_id.int >> 64 for track_id in self.ids], dtype=np.uint64)


def shortlist(pool: Pool, scores: FloatArray) -> Shortlist:
    """Return the best rows of the pool by `scores` (n,)."""
    best = np.argsort(-scores, kind="stable")[:SHORTLIST]
    ids = [UUID(bytes=track_id) for track_id in pool.ids[best].tolist()]
    known = {
        row[0]: row for row in fetch_rows(_LISTED, {"ids": "{" + ",".join(map(str, ids)) + "}"})
    }
    return Shortlist(
        rows=best,
        ids=ids,
        songs=[known[i][1] for i in ids],
        artists=[artist_keys(known[i][2]) for i in ids],
        genres=[known[i][3] for i in ids],
        years=np.array([known[i][4] for i in ids], dtype=np.float64),
    )
