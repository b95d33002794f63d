"""Read the collaborative factors and the choices they are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from django.db.models import Exists, F, OuterRef, QuerySet

from accounts.models import User
from recommender import binary_rows
from recommender.catalogue import demo_tracks, shared_tracks
from recommender.engine.als import Settings
from recommender.engine.ivf_index import IvfIndex, Vectors
from recommender.engine.query_vectors import N_KNOWN
from recommender.models import Choice, FactorVersion, Track, TrackFactor

# One person in ten is held out of training.
HOLDOUT_EVERY = 10


def training_choices(*, holdout: bool = False) -> Iterator[tuple[int, str]]:
    """(person, song key) pairs to train on, grouped by person, oldest first.

    With `holdout`, the pairs of the people who are never trained on instead.
    """
    learned = Choice.objects.filter(shared_tracks.used("track__"), learns=True)
    choices = learned.annotate(remainder=F("user_id") % HOLDOUT_EVERY)
    part = choices.filter(remainder=0) if holdout else choices.exclude(remainder=0)
    pairs = part.order_by("user_id", "created_at", "pk").values_list("user_id", "track__song_key")
    return pairs.iterator(chunk_size=10_000)


def serving_factors() -> FactorVersion | None:
    """The serving version of the collaborative factors, without its large columns."""
    serving = FactorVersion.objects.filter(state=FactorVersion.State.SERVING)
    return serving.defer("gram", "index").first()


@lru_cache(maxsize=2)
def load_ivf_index(version_id: int) -> IvfIndex:
    """The IVF index of this version; it never changes once written."""
    stored = FactorVersion.objects.values_list("index", flat=True).get(pk=version_id)
    return IvfIndex.from_bytes(bytes(stored or b""))


@lru_cache(maxsize=2)
def gram_of(version_id: int) -> Vectors:
    """The Gram matrix of all songs of this version, used to fold a person in."""
    stored = FactorVersion.objects.values_list("gram", flat=True).get(pk=version_id)
    flat = np.frombuffer(bytes(stored or b""), dtype=np.float32)
    return flat.reshape(round(len(flat) ** 0.5), -1) if len(flat) else np.zeros((0, 0), np.float32)


def settings_of(version: FactorVersion) -> Settings:
    """The ALS settings that fold a person into this version."""
    return Settings(
        n_factors=version.n_factors,
        confidence=version.confidence,
        regularisation=version.regularisation,
    )


def trained_songs(version: FactorVersion | None) -> tuple[list[str], Vectors]:
    """Songs that somebody chose and their vectors (n, n_factors) in this version."""
    if version is None or version.n_songs == 0:
        width = version.n_factors if version else 0
        return [], np.zeros((0, width), dtype=np.float32)
    rows = binary_rows.read(
        "SELECT DISTINCT ON (track.song_key)"  # noqa: S608  (nothing in it comes from outside)
        " textsend(track.song_key) || halfvec_send(factor.vector) AS row"
        " FROM recommender_trackfactor AS factor"
        " JOIN recommender_track AS track ON track.id = factor.track_id"
        f" WHERE factor.version_id = %(version)s AND factor.is_trained AND {shared_tracks.USED}",
        {"version": version.pk, **demo_tracks.parameters()},
        [("song", "S32"), ("vector", binary_rows.halfvec(version.n_factors + N_KNOWN))],
    )
    vectors = rows["vector"]["values"][:, : version.n_factors].astype(np.float32)
    return [song.decode() for song in rows["song"]], vectors


def vectors_of(version: FactorVersion, user: User, limit: int = 500) -> Vectors:
    """Vectors (n, n_factors) of the person's latest chosen tracks that are in the index."""
    rows = binary_rows.read(
        "SELECT halfvec_send(factor.vector) AS row"  # noqa: S608  (nothing from outside)
        " FROM recommender_choice AS choice"
        " JOIN recommender_trackfactor AS factor ON factor.track_id = choice.track_id"
        " WHERE choice.user_id = %(user)s AND choice.learns AND factor.version_id = %(version)s"
        f" AND {shared_tracks.USED}"
        " ORDER BY choice.created_at DESC LIMIT %(limit)s",
        {"user": user.pk, "version": version.pk, "limit": limit, **demo_tracks.parameters()},
        [("vector", binary_rows.halfvec(version.n_factors + N_KNOWN))],
    )
    vectors: Vectors = rows["vector"]["values"][:, : version.n_factors].astype(np.float32)
    return vectors


def tracks_to_place() -> QuerySet[Track]:
    """The tracks that belong in the index."""
    return Track.objects.filter(shared_tracks.used())


def unplaced_tracks(version: FactorVersion | None) -> QuerySet[Track]:
    """Tracks with a mood that this version doesn't index, or indexes with another mood."""
    tracks = tracks_to_place().filter(energy__isnull=False, valence__isnull=False)
    if version is None:
        return tracks
    placed = TrackFactor.objects.filter(
        version_id=version.pk,
        track_id=OuterRef("pk"),
        valence=OuterRef("valence"),
        energy=OuterRef("energy"),
    )
    return tracks.filter(~Exists(placed))
