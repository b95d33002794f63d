"""Candidates for a story: the tracks worth scoring.

Six sources, each found through an index: the best of the factor index by mood, listener and
popularity together (`engine.ivf_index`), co-saves, trending tracks, tracks nearest to points of
the mood and, so that every track has a chance, nearest to points drawn from it; and the listener's
own music (`own_music`), of which nobody else gets anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.utils import timezone
from numpy.typing import NDArray

from ml.mood import Gaussian
from recommender import binary_rows
from recommender.catalogue import demo_tracks, shared_tracks
from recommender.engine import query_vectors
from recommender.engine.ivf_index import probe
from recommender.engine.mood_samples import draws, mood_samples
from recommender.engine.scoring import Candidates, Weights, newcomer_share, precision
from recommender.engine.tracks.content import FEATURES, FloatArray, standardise
from recommender.factors import selectors
from recommender.models import POPULAR_FROM, FactorVersion, Suggestion
from recommender.ranking import own_music, preference_filters, trending
from recommender.ranking.co_saves import co_saves_of
from recommender.ranking.listener import Listener
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.preference_filters import ALLOWED, LIKED, LIKED_BY_CODE
from recommender.ranking.sql import fetch_rows

# This share of the factor index is scanned, within these bounds, and this many of the best tracks
# are scored.
PROBE_SHARE, PROBE_MIN, PROBE_MAX = 0.1, 10_000, 30_000
NEAR = 450
# Without a factor index: tracks, and well-known ones, around each of some points.
NEAR_EACH_SAMPLE = 50
POPULAR_NEAR_EACH_SAMPLE = 16
# Tracks around each point that is drawn for the story.
EXPLORED_POINTS = 6
NEAR_EACH_DRAW = 8
TRENDING = 60
SAVED_LATELY = timedelta(days=30)
SHOWN_LATELY = timedelta(days=14)
SHOWN_AT_MOST = 300

_SOUND = "energy IS NOT NULL AND valence IS NOT NULL"
_FRESH = "(expires_at IS NULL OR expires_at > now())"
# The best by everything that the factor index knows: the mood's term is a quadratic in
# valence and energy, all else one inner product (engine.query_vectors).
_INDEXED = """
(SELECT track_id AS id, vector, 0 AS origin FROM recommender_trackfactor
 WHERE version_id = %(version)s {within}
 ORDER BY (vector <#> %(query)s::halfvec)
    + %(vv)s::float8 * (valence - %(v)s::float8) * (valence - %(v)s::float8)
    + %(ve)s::float8 * (valence - %(v)s::float8) * (energy - %(e)s::float8)
    + %(ee)s::float8 * (energy - %(e)s::float8) * (energy - %(e)s::float8)
    {less_liked}
 LIMIT {limit})
"""
_LESS_LIKED = f"- %(liked)s::float8 * {LIKED_BY_CODE}"
# Nearest to each of some points, from the GiST indexes on point(energy, valence).
_AROUND = f"""
SELECT near.id, NULL::halfvec AS vector, 0 AS origin
FROM unnest(%(energy)s::float8[], %(valence)s::float8[]) AS sample(energy, valence)
CROSS JOIN LATERAL (
    (SELECT id FROM recommender_track
     WHERE {shared_tracks.SHARED} AND {_SOUND} AND {_FRESH} AND {ALLOWED}
     ORDER BY point(energy, valence) <-> point(sample.energy, sample.valence) LIMIT %(around)s)
    UNION ALL
    (SELECT id FROM recommender_track
     WHERE {shared_tracks.SHARED} AND {_SOUND} AND {_FRESH} AND {ALLOWED}
        AND popularity >= {POPULAR_FROM}
     ORDER BY point(energy, valence) <-> point(sample.energy, sample.valence) LIMIT %(popular)s)
) AS near
"""  # noqa: S608  (nothing in it comes from outside)
_KNOWN = ", ".join(f"coalesce(track.{name}::float8, 'NaN')" for name in ("popularity", *FEATURES))
_NAMES = ("popularity", *FEATURES, "affinity", "level", "n_saves", "released", "liked", "origin")
_POOL = f"""
SELECT uuid_send(track.id) || array_send(ARRAY[{_KNOWN},
    coalesce(-(coalesce(found.vector, factor.vector) <#> %(listener)s::halfvec), 0),
    coalesce(saves.level, '-Infinity'), coalesce(saves.n_saves, 0),
    {trending.RELEASED}, {LIKED}, origin]::float8[]) AS row
FROM ({{sources}}) AS found
JOIN recommender_track AS track ON track.id = found.id
LEFT JOIN recommender_trackfactor AS factor ON factor.version_id = %(version)s
    AND factor.track_id = CASE WHEN found.vector IS NULL THEN track.id END
LEFT JOIN recommender_tracksaves AS saves ON saves.track_id = track.id
WHERE track.energy IS NOT NULL AND track.valence IS NOT NULL AND {_FRESH}
    AND {ALLOWED} AND track.song_key <> ALL(%(not_again)s)
    AND ({shared_tracks.SHARED} OR origin <> {own_music.SHARED})
    AND NOT (%(new_only)s AND {own_music.KNOWN})
"""  # noqa: S608
_EVERY = """
SELECT id, NULL::halfvec AS vector, coalesce(own.origin, 0) AS origin FROM recommender_track
LEFT JOIN (SELECT * FROM unnest(%(own)s::uuid[], %(origins)s::int[]) AS known (id, origin)) AS own
    USING (id)
WHERE id >= %(start)s AND (%(stop)s::uuid IS NULL OR id < %(stop)s)
"""
_OWN = """
SELECT own.id, NULL::halfvec AS vector, own.origin
FROM unnest(%(own)s::uuid[], %(origins)s::int[]) AS own (id, origin)
"""
_FIELDS = [("id", "V16"), ("numbers", binary_rows.floats(len(_NAMES)))]
_NOT_AGAIN = """
SELECT song_key FROM recommender_choice AS choice
JOIN recommender_track AS track ON track.id = choice.track_id
WHERE choice.user_id = %(user)s AND created_at >= %(since)s AND story_id <> %(story)s
UNION
SELECT song_key FROM recommender_suggestion AS suggestion
JOIN recommender_track AS track ON track.id = suggestion.track_id
WHERE story_id = %(story)s AND feedback = %(refused)s
"""
_SHOWN = f"""
SELECT track_id, count(DISTINCT story_id) FROM (
    SELECT track_id, story_id FROM recommender_suggestion
    WHERE user_id = %(user)s AND shown_at >= %(since)s AND story_id <> %(story)s
    ORDER BY shown_at DESC LIMIT {SHOWN_AT_MOST}) AS lately
GROUP BY track_id
"""  # noqa: S608
_TRENDING = f"""
(SELECT track_id, NULL, 0 FROM recommender_tracksaves
 WHERE {shared_tracks.used_by_id("track_id")}
 ORDER BY level DESC LIMIT {TRENDING})
"""  # noqa: S608


@dataclass(frozen=True)
class Pool:
    """Candidate features with their track ids, row by row."""

    ids: NDArray[Any]
    """(n,) of 16 bytes."""
    features: Candidates


def gather(
    *,
    listener: Listener,
    story_id: UUID,
    mood: Gaussian,
    weights: Weights,
    music: MusicScope = MusicScope.MIX,
) -> Pool:
    """Return the tracks that may rank high for this mood and listener, with their features."""
    own = own_music.nearest(listener, music, _quadratic(mood, weights))
    about = {**_about(listener, story_id, music), **_own(own)}
    shown = _times_shown(listener, story_id)
    if music is MusicScope.MINE:
        return _pool(_read(_OWN, about), {}, shown)
    co_saves = co_saves_of(listener) if listener.taste.n_choices else {}
    sources = [_OWN, _AROUND, _TRENDING, "SELECT unnest(%(also)s::uuid[]), NULL, 0"]
    # The best of the index may all fail the filters, and an index built with other demo settings is
    # incomplete; in both cases the search widens around the mood.
    version = listener.version
    as_now = version is not None and version.with_demo_tracks == about["demo_in_use"]
    index_only = as_now and not listener.preferences.n_filters
    parameters = {
        **_around(mood, story_id, indexed=index_only),
        "also": [*co_saves],
        **about,
    }
    if version is not None:
        source, its_parameters = _indexed(listener, version, mood, weights)
        sources.append(source)
        parameters |= its_parameters
    rows = _read(" UNION ALL ".join(sources), parameters)
    return _pool(rows, co_saves, shown)


def every_track(*, listener: Listener, story_id: UUID, parts: int = 256) -> Iterator[Pool]:
    """Yield all that this listener may get, in parts: the reference for the recall of `gather`."""
    co_saves = co_saves_of(listener) if listener.taste.n_choices else {}
    shown = _times_shown(listener, story_id)
    own = own_music.every(listener, MusicScope.MIX)
    about = {**_about(listener, story_id, MusicScope.MIX), **_own(own)}
    bounds = [UUID(int=(part << 128) // parts) for part in range(parts)]
    for start, stop in zip(bounds, [*bounds[1:], None], strict=True):
        yield _pool(_read(_EVERY, {**about, "start": start, "stop": stop}), co_saves, shown)


def _about(listener: Listener, story_id: UUID, music: MusicScope) -> dict[str, Any]:
    """Return the parameters shared by all pool queries."""
    demo_in_use = listener.demo_in_use and not own_music.is_enough(listener, music)
    return {
        **preference_filters.parameters(listener.preferences),
        **demo_tracks.parameters(demo_in_use),
        "user": listener.user_id,
        "new_only": music is MusicScope.NEW,
        "version": listener.version.pk if listener.version else -1,
        "listener": _text(query_vectors.affinity_alone(listener.factor)),
        "not_again": _not_again(listener, story_id, music),
    }


def _own(own: Mapping[UUID, int]) -> dict[str, list[Any]]:
    return {"own": [*own], "origins": [*own.values()]}


def _read(sources: str, parameters: Mapping[str, Any]) -> NDArray[Any]:
    statement = _POOL.format(sources=sources)
    return binary_rows.read(statement, parameters, _FIELDS, using=settings.READ_DATABASE)


def _indexed(
    listener: Listener, version: FactorVersion, mood: Gaussian, weights: Weights
) -> tuple[str, dict[str, Any]]:
    """Return the SQL for the best tracks of the factor index, and its parameters."""
    query = query_vectors.query(listener.factor, listener.taste, weights)
    index = selectors.load_ivf_index(version.pk)
    budget = min(max(int(PROBE_SHARE * index.n_tracks), PROBE_MIN), PROBE_MAX)
    buckets = probe(index, mood=mood, query=query, budget=budget, mood_weight=weights.mood)
    within = "" if buckets is None else "AND bucket = ANY(%(buckets)s::int[])"
    liked = weights.liked * newcomer_share(listener.taste.n_choices)
    likes_some = preference_filters.likes_some(listener.preferences)
    less_liked = _LESS_LIKED if liked and likes_some else ""
    return _INDEXED.format(within=within, less_liked=less_liked, limit=NEAR), {
        "query": _text(query),
        "liked": liked,
        "buckets": None if buckets is None else "{" + ",".join(map(str, buckets.tolist())) + "}",
        **_quadratic(mood, weights),
    }


def _quadratic(mood: Gaussian, weights: Weights) -> dict[str, float]:
    """Return the mood's term as a quadratic: its centre and coefficients."""
    inverse = 0.5 * weights.mood * precision(mood)
    return {
        "v": float(mood.mean[0]),
        "e": float(mood.mean[1]),
        "vv": float(inverse[0, 0]),
        "ve": float(2.0 * inverse[0, 1]),
        "ee": float(inverse[1, 1]),
    }


def _around(mood: Gaussian, story_id: UUID, *, indexed: bool) -> dict[str, Any]:
    """Return points to search around, and how many tracks to take at each."""
    points = draws(mood, story_id.int, EXPLORED_POINTS) if indexed else mood_samples(mood)
    return {
        "valence": points[:, 0].tolist(),
        "energy": points[:, 1].tolist(),
        "around": NEAR_EACH_DRAW if indexed else NEAR_EACH_SAMPLE,
        "popular": 0 if indexed else POPULAR_NEAR_EACH_SAMPLE,
    }


def _pool(rows: NDArray[Any], co_saves: Mapping[UUID, float], shown: Mapping[UUID, int]) -> Pool:
    rows = rows[np.unique(rows["id"], return_index=True)[1]]
    numbers = rows["numbers"]["values"]["value"].astype(np.float64)
    known = dict(zip(_NAMES, numbers.T, strict=True))
    raw = np.stack([known[name] for name in FEATURES], axis=1)
    row_of = {track_id: row for row, track_id in enumerate(rows["id"].tolist())}
    now = timezone.now()
    return Pool(
        ids=rows["id"],
        features=Candidates(
            mood_points=raw[:, [FEATURES.index("valence"), FEATURES.index("energy")]],
            content=standardise(raw),
            popularity=known["popularity"] / 100.0,
            together=_column(row_of, co_saves),
            shown_lately=_column(row_of, shown).astype(np.int64),
            affinity=known["affinity"],
            recent_saves=trending.recent_saves(known["level"], known["n_saves"], now),
            days_out=trending.days_out(known["released"], now),
            liked=known["liked"],
            library=(known["origin"] == own_music.OWN).astype(np.float64),
            recommended=(known["origin"] == own_music.RECOMMENDED).astype(np.float64),
        ),
    )


def _column(row_of: Mapping[bytes, int], values: Mapping[UUID, float]) -> FloatArray:
    column = np.zeros(len(row_of))
    for track_id, value in values.items():
        row = row_of.get(track_id.bytes)
        if row is not None:
            column[row] = value
    return column


def _not_again(listener: Listener, story_id: UUID, music: MusicScope) -> list[str]:
    """Return keys of songs recently saved with other stories or refused for this one.

    What was ever saved isn't new.
    """
    lately = timezone.now() - SAVED_LATELY
    since = datetime.min.replace(tzinfo=UTC) if music is MusicScope.NEW else lately
    parameters = {
        "user": listener.user_id,
        "story": story_id,
        "since": since,
        "refused": Suggestion.Feedback.NOT_THIS_ONE.value,
    }
    return [song for (song,) in fetch_rows(_NOT_AGAIN, parameters, using="default")]


def _times_shown(listener: Listener, story_id: UUID) -> dict[UUID, int]:
    """Count the other stories with which each track was recently shown to the listener."""
    since = timezone.now() - SHOWN_LATELY
    parameters = {"user": listener.user_id, "story": story_id, "since": since}
    return dict(fetch_rows(_SHOWN, parameters, using="default"))


def _text(vector: Iterable[float]) -> str:
    """Format a vector for pgvector."""
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"
