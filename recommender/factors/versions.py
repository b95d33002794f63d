"""Load, serve, index and roll back versions of the collaborative factors."""

from __future__ import annotations

import logging
from itertools import groupby
from pathlib import Path
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from recommender.catalogue import demo_tracks
from recommender.engine import ivf_index, query_vectors
from recommender.engine.als import Settings, TrackFactors, quality
from recommender.engine.ivf_index import IvfIndex, Vectors
from recommender.errors import FactorsUnusableError
from recommender.factors import selectors as factor_selectors
from recommender.factors.files import SongFactors, read_factors
from recommender.factors.index_rows import (
    Batch,
    Trained,
    track_batches,
    trained_from,
    write_rows,
)
from recommender.factors.selectors import tracks_to_place
from recommender.models import FactorVersion, TrackFactor

# With fewer people, the measured quality is mostly noise and no version is refused.
MIN_HOLDOUT_PEOPLE = 30
# When new tracks exceed this share of the catalogue, the whole index is rebuilt.
REBUILD_SHARE = 0.2
_LOCK_KEY = 0x53746F72  # an advisory lock key that nothing else uses
_TABLE = TrackFactor._meta.db_table
logger = logging.getLogger(__name__)


def load_factors(*, path: Path) -> FactorVersion:
    """Load trained factors and serve them unless they're worse than the serving version.

    Raises FactorsUnusableError if the file is broken or another process is indexing.
    """
    factors = read_factors(path)
    with transaction.atomic():
        _lock()
        version = _version_of(factors)
        if _is_worse(version):
            version.state = FactorVersion.State.REFUSED
            version.save()
            logger.warning(
                "factors refused: recall@50 %.4f, before %.4f",
                version.quality,
                version.quality_before,
            )
            return version
        _build_index(version, factors.songs, factors.vectors)
    _drop_old_versions()
    return version


def rebuild_index() -> FactorVersion:
    """Index the current catalogue with the serving factors, or without factors if none serve."""
    with transaction.atomic():
        _lock()
        serving = factor_selectors.serving_factors()
        songs, vectors = factor_selectors.trained_songs(serving)
        if serving is None:
            version = _version_of(SongFactors([], vectors, np.zeros(0, np.int64), Settings(0), ""))
        else:
            version = FactorVersion.objects.get(pk=serving.pk)
            version.pk, version.created_at = None, timezone.now()
            version._state.adding = True
            version.n_songs, version.gram = len(songs), _gram(vectors)
        _build_index(version, songs, vectors)
    _drop_old_versions()
    return version


def place_new_tracks() -> int:
    """Index new and changed tracks and return their number.

    Rebuilds the whole index if there is none, if many tracks are new, or if demo tracks came into
    or went out of use.
    """
    serving = factor_selectors.serving_factors()
    unplaced = factor_selectors.unplaced_tracks(serving)
    n_new = unplaced.count()
    demo_changed = serving is not None and serving.with_demo_tracks != demo_tracks.in_use()
    if n_new == 0 and not demo_changed:
        return 0
    if serving is None or demo_changed or n_new > REBUILD_SHARE * serving.n_tracks:
        return rebuild_index().n_tracks
    with transaction.atomic():
        _lock()
        trained = trained_from(*factor_selectors.trained_songs(serving), tracks_to_place())
        centroids = factor_selectors.load_ivf_index(serving.pk).centroids
        for batch in track_batches(unplaced):
            _replace(serving.pk, batch, trained, centroids)
    return n_new


def roll_back_factors() -> FactorVersion:
    """Serve the previous version again; raises FactorsUnusableError if there is none."""
    with transaction.atomic():
        _lock()
        previous = FactorVersion.objects.filter(state=FactorVersion.State.RETIRED).first()
        if previous is None:
            raise FactorsUnusableError("There's no earlier version to roll back to.")
        _serve(previous)
    return previous


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK_KEY])
        if cursor.fetchone() != (True,):
            raise FactorsUnusableError("The catalogue is being indexed; try again later.")


def _version_of(factors: SongFactors) -> FactorVersion:
    """An unsaved version with its holdout quality and that of the serving version."""
    serving = factor_selectors.serving_factors()
    known, held_out = _holdout()
    before = None
    if serving is not None and serving.n_songs:
        songs, vectors = factor_selectors.trained_songs(serving)
        before = _quality(songs, vectors, factor_selectors.settings_of(serving), known, held_out)
    return FactorVersion(
        created_at=timezone.now(),
        state=FactorVersion.State.RETIRED,
        method=factors.method,
        confidence=factors.settings.confidence,
        regularisation=factors.settings.regularisation,
        n_factors=factors.vectors.shape[1],
        n_songs=len(factors.songs),
        n_choices=int(factors.n_choices.sum()),
        n_examined=len(held_out),
        quality=_quality(factors.songs, factors.vectors, factors.settings, known, held_out),
        quality_before=before,
        gram=_gram(factors.vectors),
    )


def _gram(vectors: Vectors) -> bytes:
    return (vectors.T @ vectors).astype(np.float32).tobytes()


def _is_worse(version: FactorVersion) -> bool:
    """Whether quality dropped by more than one standard error."""
    if version.n_examined < MIN_HOLDOUT_PEOPLE:
        return False
    if version.quality is None or version.quality_before is None:
        return False
    share = version.quality_before
    error: float = (share * (1.0 - share) / version.n_examined) ** 0.5
    return version.quality < share - error


def _holdout() -> tuple[list[list[str]], list[str]]:
    """For each holdout person: the songs they chose first, and the last one as the target."""
    by_person = groupby(factor_selectors.training_choices(holdout=True), key=lambda pair: pair[0])
    people = [[*dict.fromkeys(song for _, song in pairs)] for _, pairs in by_person]
    people = [songs for songs in people if len(songs) > 1]
    return [songs[:-1] for songs in people], [songs[-1] for songs in people]


def _quality(
    songs: list[str],
    vectors: Vectors,
    settings: Settings,
    known: list[list[str]],
    held_out: list[str],
) -> float | None:
    """Recall@50 among all songs of the model and the holdout; unknown songs have zero vectors."""
    from scipy.sparse import csr_matrix

    if not songs or not held_out:
        return None
    columns = {song: column for column, song in enumerate(songs)}
    for song in (*held_out, *(song for some in known for song in some)):
        columns.setdefault(song, len(columns))
    padded = np.zeros((len(columns), vectors.shape[1]), dtype=np.float32)
    padded[: len(songs)] = vectors
    indices = [columns[song] for some in known for song in some]
    bounds = np.concatenate([[0], np.cumsum([len(some) for some in known])])
    matrix = csr_matrix(
        (np.ones(len(indices), np.float32), indices, bounds), shape=(len(known), len(columns))
    )
    factors = TrackFactors(padded, np.zeros(len(columns), np.float32), settings)
    return quality(factors, matrix, np.array([columns[song] for song in held_out]))


def _build_index(version: FactorVersion, songs: list[str], vectors: Vectors) -> None:
    """Write the version's rows into their own partition and serve it."""
    version.state = FactorVersion.State.RETIRED
    version.index, version.with_demo_tracks = None, demo_tracks.in_use()
    version.save()
    trained = trained_from(songs, vectors, tracks_to_place())
    centroids = _centroids(trained)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE index_rows (LIKE {_TABLE}) ON COMMIT DROP")
        index = _write_all(version.pk, trained, centroids)
        own = f"{_TABLE}_{version.pk:d}"
        cursor.execute(f"CREATE TABLE {own} (LIKE {_TABLE})")
        cursor.execute(f"INSERT INTO {own} SELECT * FROM index_rows ORDER BY bucket")  # noqa: S608
        cursor.execute("DROP TABLE index_rows")
        cursor.execute(
            f"ALTER TABLE {_TABLE} ATTACH PARTITION {own} FOR VALUES IN ({version.pk:d})"
        )
        cursor.execute(f"ANALYZE {own}")
    version.index, version.n_tracks = index.to_bytes(), index.n_tracks
    version.save()
    _serve(version)


def _centroids(trained: Trained) -> Vectors:
    """Centroids fitted to a sample of the catalogue."""
    n_tracks = tracks_to_place().count()
    k = ivf_index.n_lists(n_tracks)
    share = min(1.0, k * ivf_index.SAMPLE_PER_LIST / max(n_tracks, 1))
    sampled = tracks_to_place().extra(where=["random() < %s"], params=[share])
    samples = [trained.vectors_of(batch)[0] for batch in track_batches(sampled)]
    if not samples:
        return np.zeros((1, trained.vectors.shape[1] + query_vectors.N_KNOWN), dtype=np.float32)
    return ivf_index.fit_centroids(np.concatenate(samples), k)


def _write_all(version_id: int, trained: Trained, centroids: Vectors) -> IvfIndex:
    """Fill the temporary table and summarise it as an IVF index."""
    buckets, distances = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for batch in track_batches(tracks_to_place()):
        batch_buckets, batch_distances = write_rows(
            "index_rows", version_id, batch, trained=trained, centroids=centroids
        )
        buckets.append(batch_buckets)
        distances.append(batch_distances)
    return ivf_index.summarise(centroids, np.concatenate(buckets), np.concatenate(distances))


def _replace(version_id: int, batch: Batch, trained: Trained, centroids: Vectors) -> None:
    ids = [UUID(bytes=track_id) for track_id in batch.ids]
    TrackFactor.objects.filter(version_id=version_id, track_id__in=ids).delete()
    write_rows(_TABLE, version_id, batch, trained=trained, centroids=centroids)


def _serve(version: FactorVersion) -> None:
    serving = FactorVersion.objects.filter(state=FactorVersion.State.SERVING)
    serving.update(state=FactorVersion.State.RETIRED)
    version.state = FactorVersion.State.SERVING
    version.save(update_fields=["state"])


def _drop_old_versions() -> None:
    """Drop all but the latest retired version; a table in use is dropped the next time."""
    retired = FactorVersion.objects.filter(state=FactorVersion.State.RETIRED)
    for version in retired[1:]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}_{version.pk:d}")
            version.delete()
