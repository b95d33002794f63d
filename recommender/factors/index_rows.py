"""Build rows of TrackFactor from tracks and trained factors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from numpy.typing import NDArray

from recommender import binary_rows
from recommender.engine import ivf_index, query_vectors
from recommender.engine.cold_start import ColdStart, fit_cold_start
from recommender.engine.ivf_index import Ints, Vectors
from recommender.engine.tracks.content import FEATURES, FloatArray, standardise
from recommender.engine.tracks.song_keys import artist_keys
from recommender.models import Track
from recommender.ranking.preference_filters import genre_code, language_code
from recommender.ranking.trending import RELEASED, days_out, recent_saves

_BATCH_SIZE = 20_000
_WORDS = ("song_key", "artists", "genre_family", "language")
_NUMBERS = ("popularity", "level", "n_saves", "released")
_POINT = [FEATURES.index("valence"), FEATURES.index("energy")]
_FIELDS = [
    ("version_id", ">i8"),
    ("track_id", "V16"),
    ("bucket", ">i4"),
    ("valence", ">f8"),
    ("energy", ">f8"),
    ("genre_code", ">i2"),
    ("language_code", ">i2"),
    ("is_trained", "u1"),
]


@dataclass(frozen=True)
class Batch:
    """Columns that describe n tracks."""

    ids: list[bytes]
    songs: list[str]
    artists: list[list[str]]
    """As credited on the track."""
    points: FloatArray
    """(n, 2): valence, energy."""
    genres: list[int]
    languages: list[int]
    """Codes from `recommender.ranking.preference_filters`."""
    known: Vectors
    """(n, query_vectors.N_KNOWN): the part of a track's vector after its factors."""
    content: FloatArray
    """(n, 10): content vectors."""


def track_batches(tracks: QuerySet[Track]) -> Iterator[Batch]:
    """The tracks that have a mood, in batches of _BATCH_SIZE."""
    now = timezone.now()
    rows = (
        tracks.filter(energy__isnull=False, valence__isnull=False)
        .annotate(level=F("saves__level"), n_saves=F("saves__n_saves"))
        .annotate(released=RawSQL(RELEASED, ()))  # noqa: S611  (a constant)
        .order_by()
        .values_list("id", *_WORDS, *_NUMBERS, *FEATURES)
        .iterator(chunk_size=_BATCH_SIZE)
    )
    while part := [*islice(rows, _BATCH_SIZE)]:
        numbers = np.array([row[1 + len(_WORDS) :] for row in part], dtype=np.float64)
        popularity, level, n_saves, released = numbers[:, : len(_NUMBERS)].T
        raw = numbers[:, len(_NUMBERS) :]
        content = standardise(raw)
        yield Batch(
            ids=[row[0].bytes for row in part],
            songs=[row[1] for row in part],
            artists=[row[2] for row in part],
            points=raw[:, _POINT],
            genres=[genre_code(row[3]) for row in part],
            languages=[language_code(row[4]) for row in part],
            known=query_vectors.known_of(
                popularity=popularity / 100.0,
                recent_saves=recent_saves(
                    np.nan_to_num(level, nan=-np.inf), np.nan_to_num(n_saves), now
                ),
                days_out=days_out(released, now),
                content=content,
            ),
            content=content,
        )


@dataclass(frozen=True)
class Trained:
    """Trained song vectors, and a cold-start model for songs that nobody chose."""

    rows: Mapping[str, int]
    vectors: Vectors
    """(n_songs, n_factors)."""
    cold_start: ColdStart | None

    def vectors_of(self, batch: Batch) -> tuple[Vectors, NDArray[np.bool_]]:
        """Vectors (n, n_factors + query_vectors.N_KNOWN), and which have trained factors (n,)."""
        rows = np.array([self.rows.get(song, -1) for song in batch.songs])
        trained = rows >= 0
        n, width = len(batch.ids), self.vectors.shape[1]
        vectors = np.zeros((n, width + query_vectors.N_KNOWN), dtype=np.float32)
        if self.cold_start is not None:
            vectors[:, :width] = self.cold_start.vectors(
                [artist_keys(names) for names in batch.artists], batch.content
            )
        vectors[trained, :width] = self.vectors[rows[trained]]
        vectors[:, width:] = batch.known
        return vectors, trained


def trained_from(songs: list[str], vectors: Vectors, tracks: QuerySet[Track]) -> Trained:
    """Fit the cold-start model on the artists and audio features of the trained songs."""
    rows = {song: row for row, song in enumerate(songs)}
    content: list[FloatArray] = []
    artists: list[frozenset[str]] = []
    fitted: dict[str, None] = {}
    for batch in track_batches(tracks.filter(song_key__in=songs)) if songs else ():
        for place, song in enumerate(batch.songs):
            if song not in fitted:
                fitted[song] = None
                content.append(batch.content[place])
                artists.append(artist_keys(batch.artists[place]))
    if not fitted:
        return Trained(rows, vectors, None)
    own = vectors[[rows[song] for song in fitted]]
    return Trained(rows, vectors, fit_cold_start(own, artists, np.array(content)))


def write_rows(
    table: str, version_id: int, batch: Batch, *, trained: Trained, centroids: Vectors
) -> tuple[Ints, Vectors]:
    """Append the batch to a table with TrackFactor's columns.

    Returns the buckets (n,) and the squared distances (n,) to their centroids.
    """
    vectors, is_trained = trained.vectors_of(batch)
    buckets = ivf_index.bucket_of(vectors, batch.points, centroids)
    n = len(batch.ids)
    columns = {
        "version_id": np.full(n, version_id),
        "track_id": np.frombuffer(b"".join(batch.ids), dtype="V16"),
        "bucket": buckets,
        "valence": batch.points[:, 0],
        "energy": batch.points[:, 1],
        "genre_code": batch.genres,
        "language_code": batch.languages,
        "is_trained": is_trained,
        "vector": binary_rows.as_halfvec(vectors),
    }
    fields = [*_FIELDS, ("vector", binary_rows.halfvec(vectors.shape[1]))]
    binary_rows.write(table, fields, columns)
    distances: Vectors = np.sum((vectors - centroids[buckets // ivf_index.CELLS]) ** 2, axis=1)
    return buckets, distances
