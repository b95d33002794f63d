"""Audio features and popularity for a person's own music, from third parties only."""

from __future__ import annotations

import logging
import time

import httpx
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender.catalogue import reccobeats
from recommender.catalogue.feature_providers import FeatureProvider, ReccoBeatsFeatures, providers
from recommender.library import selectors
from recommender.library.store import forget_catalogue_misses
from recommender.models import FeatureMiss, Track
from recommender.services.features import fill_features

# One run takes no longer, so that it never keeps a worker from its other tasks; the next goes on.
SECONDS = 40.0
POPULARITY_SECONDS = 10.0
logger = logging.getLogger(__name__)


def fill_library(
    *,
    user: User,
    sources: list[FeatureProvider] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Ask for the features of the person's own music, then for its popularity.

    Returns how many tracks got features. `sources` are by default those of FEATURE_PROVIDERS, with
    the person's own Spotify account where that's one of them.
    """
    deadline = time.monotonic() + SECONDS
    own = selectors.spotify_account(user)
    asked = providers(account=own) if sources is None else sources
    filled = fill_features(providers=asked, seconds=SECONDS, user=user)
    if any(source.name == ReccoBeatsFeatures.name for source in asked):
        _fill_facts(user, deadline, transport)
    return filled


def fill_popularity(*, transport: httpx.BaseTransport | None = None) -> None:
    """Ask for what is left of the popularity of everybody's own music."""
    if ReccoBeatsFeatures.name in settings.FEATURE_PROVIDERS:
        _fill_facts(None, time.monotonic() + POPULARITY_SECONDS, transport)


def _fill_facts(user: User | None, deadline: float, transport: httpx.BaseTransport | None) -> None:
    for service in reccobeats.services():
        _fill_facts_from(service, user, deadline, transport)


def _fill_facts_from(
    service: reccobeats.Service,
    user: User | None,
    deadline: float,
    transport: httpx.BaseTransport | None,
) -> None:
    asked_as = f"{service.name}-facts"
    while time.monotonic() < deadline:
        tracks = selectors.tracks_lacking_facts(user, asked_as, limit=reccobeats.LIMIT)
        if not tracks:
            return
        ids = [track.source_id for track in tracks]
        try:
            facts = reccobeats.tracks(ids, service=service, transport=transport)
        except reccobeats.ReccoBeatsError as error:
            logger.warning("No popularity from ReccoBeats: %s", error)
            return
        _keep_facts(tracks, facts, asked_as)


@atomic_with_retry
def _keep_facts(
    tracks: list[Track], facts: dict[str, reccobeats.TrackFacts], asked_as: str
) -> None:
    """Store what was learned, and that these tracks were asked for."""
    still_there = (
        Track.objects.select_for_update(no_key=True)
        .filter(pk__in=[track.pk for track in tracks])
        .order_by("source", "source_id")
    )
    found = [*still_there]
    known = [track for track in found if track.source_id in facts]
    without_isrc = [track.pk for track in known if not track.isrc]
    for track in known:
        isrc, popularity = facts[track.source_id]
        track.isrc, track.popularity = track.isrc or isrc[:12], popularity
    Track.objects.bulk_update(known, ["isrc", "popularity"])
    forget_catalogue_misses(Track.objects.filter(pk__in=without_isrc).exclude(isrc=""))
    now = timezone.now()
    FeatureMiss.objects.bulk_create(
        [FeatureMiss(track=track, provider=asked_as, asked_at=now) for track in found],
        update_conflicts=True,
        unique_fields=["track", "provider"],
        update_fields=["asked_at"],
    )
