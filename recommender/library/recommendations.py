"""New music that goes with a person's own, as ReccoBeats recommends it for a mood.

The answer is kept for a week in the person's library, by the mood's cell, and never asked for while
somebody waits: a list is ranked from what is there, and the next one has more.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import httpx
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender.catalogue import reccobeats
from recommender.catalogue.feature_providers import FeatureProvider, ReccoBeatsFeatures
from recommender.engine.tracks.song_keys import song_key
from recommender.library import selectors
from recommender.library.features import fill_library
from recommender.library.store import Found, store_tracks
from recommender.locks import lock_person
from recommender.models import LibraryTrack

KEPT_FOR = timedelta(days=7)
# After this, a mood for which nothing came is asked for again.
ASK_AGAIN_AFTER = timedelta(hours=6)
SIZE = 40
TASK = "recommender.tasks.recommend_to"
logger = logging.getLogger(__name__)


def request_recommendations(*, user_id: int, valence: float, energy: float) -> bool:
    """Send the task that asks for this mood, unless it was asked lately; return whether it was."""
    if ReccoBeatsFeatures.name not in settings.FEATURE_PROVIDERS:
        return False
    if not selectors.seeds(user_id, valence, energy, limit=1):
        return False
    key = f"recommender:recommended:{user_id}:{cell(valence, energy)}"
    if not cache.add(key, 1, timeout=ASK_AGAIN_AFTER.total_seconds()):
        return False
    try:
        current_app.send_task(TASK, args=[user_id, valence, energy])
    except OperationalError:
        cache.delete(key)
        return False
    return True


def recommend_to(
    *,
    user: User,
    valence: float,
    energy: float,
    sources: list[FeatureProvider] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Ask for tracks like the person's best-fitting ones near this mood; return how many are new.

    What is kept for this mood's cell is not asked for again.
    """
    where = cell(valence, energy)
    recommended = LibraryTrack.Source.RECOMMENDED
    if selectors.library_of(user).filter(source=recommended, range=where).exists():
        return 0
    seeds = selectors.seeds(user.pk, valence, energy, limit=reccobeats.MOST_SEEDS)
    if not seeds:
        return 0
    try:
        answer = reccobeats.recommendations(
            seeds, valence=valence, energy=energy, size=SIZE, transport=transport
        )
    except reccobeats.ReccoBeatsError as error:
        logger.warning("No recommendations from ReccoBeats: %s", error)
        return 0
    n_new = _store(user, where, seeds, answer)
    fill_library(user=user, sources=sources, transport=transport)
    return n_new


@atomic_with_retry
def _store(user: User, where: str, seeds: list[str], answer: list[reccobeats.Recommended]) -> int:
    lock_person(user.pk)  # deleting the library waits for this, or comes before it
    if not selectors.own_music(user).filter(track__source_id__in=seeds).exists():
        return 0
    stored = store_tracks(
        user=user,
        source=LibraryTrack.Source.RECOMMENDED,
        range=where,
        found=_new_to(user, answer),
        expires_at=timezone.now() + KEPT_FOR,
    )
    return len(stored)


def cell(valence: float, energy: float) -> str:
    """The tenth of the mood plane in which a point lies."""
    return f"{valence:.1f},{energy:.1f}"


def _new_to(user: User, answer: list[reccobeats.Recommended]) -> list[Found]:
    """What the person doesn't have yet, under any id."""
    songs = {one.spotify_id: song_key(one.title, one.artists) for one in answer}
    known = selectors.own_music(user).filter(song_key__in=songs.values())
    own = {*known.values_list("song_key", flat=True)}
    return [
        Found(
            one.spotify_id,
            one.title,
            one.artists,
            rank,
            about={
                "isrc": one.isrc[:12],
                "popularity": one.popularity,
                "duration_ms": one.duration_ms,
            },
        )
        for rank, one in enumerate(answer, start=1)
        if one.artists and songs[one.spotify_id] not in own
    ]
