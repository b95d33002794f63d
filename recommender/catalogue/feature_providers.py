"""Sources of audio features; each can fail without affecting the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Protocol

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.models import SpotifyAccount
from accounts.spotify.client import NotAllowed, Spotify, SpotifyError
from accounts.web.circuit_breaker import CircuitBreaker
from recommender.catalogue import reccobeats
from recommender.catalogue.importing.layouts import MOOD
from recommender.catalogue.importing.values import RANGES, BadValueError, number_of
from recommender.models import Track

Features = dict[str, float | int]

# An app that Spotify denies audio features today is denied them tomorrow, too.
REFUSED_PAUSE = timedelta(days=1)
SPOTIFY_CIRCUIT_BREAKER = CircuitBreaker("recommender:spotify-features:open")


class ProviderError(Exception):
    """A source didn't answer this time; the message says which one and why."""


class FeatureProvider(Protocol):
    """A source of audio features."""

    name: str
    limit: int

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        """Validated features by Spotify id for up to `limit` ids; unknown ids are left out."""


class ImportedFeatures:
    """Features from an imported catalogue with the same Spotify id."""

    name = "import"
    limit = 1000

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        tracks = Track.objects.filter(source=Track.Source.IMPORT, source_id__in=track_ids)
        return _usable({track["source_id"]: track for track in tracks.values()})


class ReccoBeatsFeatures:
    """Features from the free database at reccobeats.com."""

    name = "reccobeats"
    limit = reccobeats.LIMIT

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._transport = transport

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        try:
            return _usable(reccobeats.audio_features(track_ids, transport=self._transport))
        except reccobeats.ReccoBeatsError as error:
            raise ProviderError(str(error)) from error


class SpotifyFeatures:
    """Features from Spotify, for apps with extended access."""

    name = "spotify"
    limit = 100

    def __init__(
        self, account: SpotifyAccount, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._account, self._transport = account, transport

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        if SPOTIFY_CIRCUIT_BREAKER.is_open():
            raise ProviderError("Spotify doesn't give this app audio features")
        try:
            with Spotify(self._account, transport=self._transport) as spotify:
                received = spotify.audio_features(track_ids)
        except NotAllowed as error:
            SPOTIFY_CIRCUIT_BREAKER.open(REFUSED_PAUSE)
            raise ProviderError(str(error)) from error
        except SpotifyError as error:
            raise ProviderError(str(error)) from error
        return _usable({features.id: asdict(features) for features in received})


def _spotify() -> list[FeatureProvider]:
    """Uses the latest connected account; no personal data is read."""
    account = SpotifyAccount.objects.filter(needs_sign_in=False).order_by("-connected_at").first()
    return [SpotifyFeatures(account)] if account else []


_KNOWN: dict[str, Callable[[], list[FeatureProvider]]] = {
    ImportedFeatures.name: lambda: [ImportedFeatures()],
    ReccoBeatsFeatures.name: lambda: [ReccoBeatsFeatures()],
    SpotifyFeatures.name: _spotify,
}
NAMES = tuple(_KNOWN)


def providers() -> list[FeatureProvider]:
    """The usable providers among those that FEATURE_PROVIDERS names, in its order."""
    chosen = settings.FEATURE_PROVIDERS
    if unknown := set(chosen) - set(NAMES):
        raise ImproperlyConfigured(
            f"FEATURE_PROVIDERS names {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}."
        )
    return [provider for name in chosen for provider in _KNOWN[name]()]


def _usable(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Features]:
    """Features within their ranges; a track with an invalid value is left out."""
    usable = {}
    for track_id, values in raw.items():
        try:
            checked = {name: number_of(name, values.get(name)) for name in RANGES}
        except BadValueError:
            continue
        if all(checked[name] is not None for name in MOOD):
            usable[track_id] = {name: v for name, v in checked.items() if v is not None}
    return usable
