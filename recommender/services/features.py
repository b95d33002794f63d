"""Fill in missing audio features from providers."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender import selectors
from recommender.catalogue.feature_providers import FeatureProvider, Features, ProviderError
from recommender.catalogue.importing.columns import AUDIO_FEATURES
from recommender.engine.tracks.intensity import FEATURES
from recommender.library.store import place_tracks
from recommender.models import FeatureMiss, Track

# One run takes no longer, so that it never keeps a worker from its other tasks; the next goes on.
SECONDS = 20.0
_READ_AT_ONCE = 1000
logger = logging.getLogger(__name__)


def fill_features(
    *,
    providers: Sequence[FeatureProvider],
    seconds: float = SECONDS,
    user: User | None = None,
    private: bool = False,
) -> int:
    """Ask each provider for the features of tracks without a mood; return how many were filled.

    With `user` only of the tracks in their library, with `private` of those in anybody's.

    Every batch is kept before the next is asked for, and what a provider does not know is noted,
    so a run may stop anywhere and the next goes on from there. A provider that fails is passed
    over until the next run.
    """
    deadline = time.monotonic() + seconds
    return sum(_fill_from(provider, deadline, user, private=private) for provider in providers)


def _fill_from(
    provider: FeatureProvider, deadline: float, user: User | None, *, private: bool
) -> int:
    filled = 0
    while tracks := selectors.tracks_lacking_features(
        provider.name, limit=_READ_AT_ONCE, user=user, private=private
    ):
        for start in range(0, len(tracks), provider.limit):
            if time.monotonic() >= deadline:
                return filled
            batch = tracks[start : start + provider.limit]
            try:
                received = provider.features(sorted({t.source_id for t in batch}))
            except ProviderError as error:
                logger.warning("No audio features from %s: %s", provider.name, error)
                return filled
            filled += _keep(batch, received, provider.name)
    return filled


@atomic_with_retry
def _keep(batch: Sequence[Track], received: Mapping[str, Features], provider: str) -> int:
    """Store the received features, and record the other tracks as misses of this provider."""
    # In the order of an import, and without a lock that those who save a track would wait for.
    still_there = (
        Track.objects.select_for_update(no_key=True)
        .filter(pk__in=[track.pk for track in batch])
        .order_by("source", "source_id")
    )
    fit = selectors.intensity_fit()
    known, unknown = [], []
    for track in still_there:
        features = received.get(track.source_id)
        if features is None:
            unknown.append(track)
            continue
        known.append(track)
        for name in AUDIO_FEATURES:
            if name in features:
                setattr(track, name, features[name])
        if fit:
            (track.intensity,) = fit.levels([getattr(track, name) for name in FEATURES])
    Track.objects.bulk_update(known, [*AUDIO_FEATURES, "intensity"])
    place_tracks(track_ids=[track.pk for track in known if not track.is_shared])
    now = timezone.now()
    FeatureMiss.objects.bulk_create(
        [FeatureMiss(track=track, provider=provider, asked_at=now) for track in unknown],
        update_conflicts=True,
        unique_fields=["track", "provider"],
        update_fields=["asked_at"],
    )
    return len(known)
