"""Versions of the collaborative factors: taking one in, swapping it in, going back."""

from __future__ import annotations

import logging
from itertools import groupby
from pathlib import Path
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from recommender.catalogue import demo_tracks
from recommender.engine import ivf_index as inverted
from recommender.engine import query_vectors
from recommender.engine.als import Settings, TrackFactors, quality
from recommender.engine.ivf_index import IvfIndex, Vectors
from recommender.errors import FactorsUnusableError
from recommender.factors import selectors as factor_selectors
from recommender.factors.files import SongFactors, read_factors
from recommender.factors.index_rows import (
    Batch,
    Trained,
    batches,
    trained_from,
    write,
)
from recommender.factors.selectors import tracks_to_place
from recommender.models import FactorVersion, TrackFactor

# With fewer people than this the measured quality is mostly luck and refuses nothing.
FEWEST_EXAMINED = 30
# New tracks beyond this share of the catalogue are reason enough to arrange all of it again.
MANY_NEW = 0.2
_LOCK = 0x53746F72  # any number that nothing else takes
_TABLE = TrackFactor._meta.db_table
logger = logging.getLogger(__name__)


def load_factors(*, path: Path) -> FactorVersion:
    """Take in trained factors; they serve from now on, unless they are worse than those before.

    FactorsUnusableError: the file is broken, or another process is at it.
    """
    factors = read_factors(path)
    with transaction.atomic():
        _alone()
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
        _arrange(version, factors.songs, factors.vectors)
    _drop_old()
    return version


def rearrange_catalogue() -> FactorVersion:
    """Arrange the catalogue as it is now by the factors that serve, or by none."""
    with transaction.atomic():
        _alone()
        serving = factor_selectors.serving_factors()
        songs, vectors = factor_selectors.trained_songs(serving)
        if serving is None:
            version = _version_of(SongFactors([], vectors, np.zeros(0, np.int64), Settings(0), ""))
        else:
            version = FactorVersion.objects.get(pk=serving.pk)
            version.pk, version.created_at = None, timezone.now()
            version._state.adding = True
            version.n_songs, version.gram = len(songs), _gram(vectors)
        _arrange(version, songs, vectors)
    _drop_old()
    return version


def place_new_tracks() -> int:
    """Give tracks that came or changed since a place among the factors; returns how many.

    Many of them, the first ones, and demo tracks that came into use or out of it are a reason to
    arrange the whole catalogue again.
    """
    serving = factor_selectors.serving_factors()
    unplaced = factor_selectors.unplaced_tracks(serving)
    n_new = unplaced.count()
    others = serving is not None and serving.with_demo_tracks != demo_tracks.in_use()
    if n_new == 0 and not others:
        return 0
    if serving is None or others or n_new > MANY_NEW * serving.n_tracks:
        return rearrange_catalogue().n_tracks
    with transaction.atomic():
        _alone()
        trained = trained_from(*factor_selectors.trained_songs(serving), tracks_to_place())
        centroids = factor_selectors.inverted_file(serving.pk).centroids
        for batch in batches(unplaced):
            _replace(serving.pk, batch, trained, centroids)
    return n_new


def roll_back_factors() -> FactorVersion:
    """Let the version before serve again; FactorsUnusableError when none was kept."""
    with transaction.atomic():
        _alone()
        kept = FactorVersion.objects.filter(state=FactorVersion.State.RETIRED).first()
        if kept is None:
            raise FactorsUnusableError("There is no earlier version to go back to.")
        _serve(kept)
    return kept


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if cursor.fetchone() != (True,):
            raise FactorsUnusableError("Another process arranges the catalogue; try again later.")


def _version_of(factors: SongFactors) -> FactorVersion:
    """The version's row, with its quality and that of the one that serves, on the same people."""
    serving = factor_selectors.serving_factors()
    known, wanted = _exam()
    before = None
    if serving is not None and serving.n_songs:
        songs, vectors = factor_selectors.trained_songs(serving)
        before = _quality(songs, vectors, factor_selectors.settings_of(serving), known, wanted)
    return FactorVersion(
        created_at=timezone.now(),
        state=FactorVersion.State.RETIRED,
        method=factors.method,
        confidence=factors.settings.confidence,
        regularisation=factors.settings.regularisation,
        n_factors=factors.vectors.shape[1],
        n_songs=len(factors.songs),
        n_choices=int(factors.n_choices.sum()),
        n_examined=len(wanted),
        quality=_quality(factors.songs, factors.vectors, factors.settings, known, wanted),
        quality_before=before,
        gram=_gram(factors.vectors),
    )


def _gram(vectors: Vectors) -> bytes:
    return (vectors.T @ vectors).astype(np.float32).tobytes()


def _is_worse(version: FactorVersion) -> bool:
    """Whether quality dropped by more than chance explains: one standard error of the share."""
    if version.n_examined < FEWEST_EXAMINED:
        return False
    if version.quality is None or version.quality_before is None:
        return False
    share = version.quality_before
    error: float = (share * (1.0 - share) / version.n_examined) ** 0.5
    return version.quality < share - error


def _exam() -> tuple[list[list[str]], list[str]]:
    """Of people who are never trained on: the songs they chose before, and the one after that."""
    chosen = groupby(
        factor_selectors.choices_to_learn_from(examined=True), key=lambda pair: pair[0]
    )
    people = [[*dict.fromkeys(song for _, song in pairs)] for _, pairs in chosen]
    people = [songs for songs in people if len(songs) > 1]
    return [songs[:-1] for songs in people], [songs[-1] for songs in people]


def _quality(
    songs: list[str],
    vectors: Vectors,
    settings: Settings,
    known: list[list[str]],
    wanted: list[str],
) -> float | None:
    """Recall@50 among all songs of the model or the exam; those without a vector have zeros."""
    from scipy.sparse import csr_matrix

    if not songs or not wanted:
        return None
    columns = {song: column for column, song in enumerate(songs)}
    for song in (*wanted, *(song for some in known for song in some)):
        columns.setdefault(song, len(columns))
    padded = np.zeros((len(columns), vectors.shape[1]), dtype=np.float32)
    padded[: len(songs)] = vectors
    indices = [columns[song] for some in known for song in some]
    bounds = np.concatenate([[0], np.cumsum([len(some) for some in known])])
    matrix = csr_matrix(
        (np.ones(len(indices), np.float32), indices, bounds), shape=(len(known), len(columns))
    )
    factors = TrackFactors(padded, np.zeros(len(columns), np.float32), settings)
    return quality(factors, matrix, np.array([columns[song] for song in wanted]))


def _arrange(version: FactorVersion, songs: list[str], vectors: Vectors) -> None:
    """Write the version with a partition of its own and let it serve."""
    version.state = FactorVersion.State.RETIRED
    version.index, version.with_demo_tracks = None, demo_tracks.in_use()
    version.save()
    trained = trained_from(songs, vectors, tracks_to_place())
    centroids = _centroids(trained)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE arranged (LIKE {_TABLE}) ON COMMIT DROP")
        index = _write_all(version.pk, trained, centroids)
        own = f"{_TABLE}_{version.pk:d}"
        cursor.execute(f"CREATE TABLE {own} (LIKE {_TABLE})")
        cursor.execute(f"INSERT INTO {own} SELECT * FROM arranged ORDER BY bucket")  # noqa: S608
        cursor.execute("DROP TABLE arranged")
        cursor.execute(
            f"ALTER TABLE {_TABLE} ATTACH PARTITION {own} FOR VALUES IN ({version.pk:d})"
        )
        cursor.execute(f"ANALYZE {own}")
    version.index, version.n_tracks = index.to_bytes(), index.n_tracks
    version.save()
    _serve(version)


def _centroids(trained: Trained) -> Vectors:
    """Centroids that suit the catalogue, from a sample of it."""
    n_tracks = tracks_to_place().count()
    k = inverted.n_lists(n_tracks)
    share = min(1.0, k * inverted.SAMPLE_PER_LIST / max(n_tracks, 1))
    sampled = tracks_to_place().extra(where=["random() < %s"], params=[share])
    found = [trained.vectors_of(batch)[0] for batch in batches(sampled)]
    if not found:
        return np.zeros((1, trained.vectors.shape[1] + query_vectors.N_KNOWN), dtype=np.float32)
    return inverted.fit_centroids(np.concatenate(found), k)


def _write_all(version_id: int, trained: Trained, centroids: Vectors) -> IvfIndex:
    """Fill the temporary table; the summary of what lies where."""
    buckets, distances = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for batch in batches(tracks_to_place()):
        theirs, apart = write("arranged", version_id, batch, trained=trained, centroids=centroids)
        buckets.append(theirs)
        distances.append(apart)
    return inverted.summarise(centroids, np.concatenate(buckets), np.concatenate(distances))


def _replace(version_id: int, batch: Batch, trained: Trained, centroids: Vectors) -> None:
    ids = [UUID(bytes=track_id) for track_id in batch.ids]
    TrackFactor.objects.filter(version_id=version_id, track_id__in=ids).delete()
    write(_TABLE, version_id, batch, trained=trained, centroids=centroids)


def _serve(version: FactorVersion) -> None:
    serving = FactorVersion.objects.filter(state=FactorVersion.State.SERVING)
    serving.update(state=FactorVersion.State.RETIRED)
    version.state = FactorVersion.State.SERVING
    version.save(update_fields=["state"])


def _drop_old() -> None:
    """Forget versions beyond the one to go back to; a table that is in use goes the next time."""
    retired = FactorVersion.objects.filter(state=FactorVersion.State.RETIRED)
    for version in retired[1:]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}_{version.pk:d}")
            version.delete()
