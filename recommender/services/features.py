"""Filling in audio features that tracks lack."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice

from django.db.models import Q

from recommender.models import UNIT_FEATURES, Track
from recommender.providers import FeatureProvider, Features, ProviderError

FILLED = (*UNIT_FEATURES, "key", "loudness", "mode", "tempo", "time_signature")
logger = logging.getLogger(__name__)


def fill_features(*, providers: Sequence[FeatureProvider], limit: int = 1000) -> int:
    """Ask each provider in turn for tracks without mood; returns how many were filled.

    A provider that fails is passed over, and the next is asked.
    """
    lacking = Track.objects.filter(Q(energy=None) | Q(valence=None))
    tracks = {track.spotify_id: track for track in lacking[:limit] if track.spotify_id}
    filled = 0
    for provider in providers:
        found = _ask(provider, [track_id for track_id in tracks if track_id])
        for track_id, features in found.items():
            _fill(tracks.pop(track_id), features)
        filled += len(found)
    return filled


def _ask(provider: FeatureProvider, track_ids: Sequence[str]) -> dict[str, Features]:
    remaining = iter(track_ids)
    found: dict[str, Features] = {}
    while batch := [*islice(remaining, provider.limit)]:
        try:
            found |= provider.features(batch)
        except ProviderError as error:
            logger.warning("No audio features from %s: %s", provider.name, error)
            break
    return {track_id: found[track_id] for track_id in track_ids if track_id in found}


def _fill(track: Track, features: Features) -> None:
    for name in FILLED:
        if name in features:
            setattr(track, name, features[name])
    track.save(update_fields=FILLED)
