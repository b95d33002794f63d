"""Sources of audio features; each can fail without affecting the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """Features from an imported catalogue: of the same Spotify id, else of the same recording."""

    name = "import"
    limit = 1000

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        imported = Track.objects.filter(source=Track.Source.IMPORT)
        by_id = imported.filter(source_id__in=track_ids)
        usable = _usable({track["source_id"]: track for track in by_id.values()})
        isrcs = _isrcs({*track_ids} - {*usable})
        by_isrc = _usable({t["isrc"]: t for t in imported.filter(isrc__in=isrcs.values()).values()})
        found = {track_id: by_isrc[code] for track_id, code in isrcs.items() if code in by_isrc}
        return {**found, **usable}


def _isrcs(track_ids: Iterable[str]) -> dict[str, str]:
    """The ISRCs of private tracks by their Spotify ids, where known."""
    private = Track.objects.filter(source=Track.Source.SPOTIFY, source_id__in=[*track_ids])
    return dict(private.exclude(isrc="").values_list("source_id", "isrc"))


class ReccoBeatsFeatures:
    """Features from the free database at reccobeats.com, or from the sandbox's stand-in for it."""

    name = "reccobeats"
    limit = reccobeats.LIMIT

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        service: reccobeats.Service = reccobeats.REAL,
    ) -> None:
        self.name = service.name
        self._transport, self._service = transport, service

    def features(self, track_ids: Sequence[str]) -> dict[str, Features]:
        try:
            received = reccobeats.audio_features(
                track_ids, service=self._service, transport=self._transport
            )
        except reccobeats.ReccoBeatsError as error:
            raise ProviderError(str(error)) from error
        return _usable(received)


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


_KNOWN: dict[str, Callable[[SpotifyAccount | None], list[FeatureProvider]]] = {
    ImportedFeatures.name: lambda _: [ImportedFeatures()],
    ReccoBeatsFeatures.name: lambda _: [
        ReccoBeatsFeatures(service=service) for service in reccobeats.services()
    ],
    SpotifyFeatures.name: lambda account: [SpotifyFeatures(account)] if account else [],
}
NAMES = tuple(_KNOWN)


def providers(*, account: SpotifyAccount | None = None) -> list[FeatureProvider]:
    """The usable providers among those that FEATURE_PROVIDERS names, in its order.

    Spotify is one only for jobs of the person whose `account` it is: nobody's is borrowed.
    """
    chosen = settings.FEATURE_PROVIDERS
    if unknown := set(chosen) - set(NAMES):
        raise ImproperlyConfigured(
            f"FEATURE_PROVIDERS names {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}."
        )
    return [provider for name in chosen for provider in _KNOWN[name](account)]


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
