"""Store a track that somebody chose from Spotify's search."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from accounts.selectors import spotify_account
from accounts.spotify.client import NeedsSignIn, Spotify
from accounts.spotify.types import SpotifyTrack
from accounts.transactions import atomic_with_retry
from recommender.catalogue.spotify_search import columns_of
from recommender.models import Track

# After this the words go; the id stays with the story, so that Spotify's player still shows it.
LIFETIME = timedelta(days=30)


def get_or_store_track(*, user: User, spotify_id: str) -> Track:
    """Return the catalogue's track of that id, or else store what Spotify says about it.

    Raises a SpotifyError if Spotify doesn't answer or doesn't know it.
    """
    shared = Track.objects.filter(source=Track.Source.IMPORT, source_id=spotify_id).first()
    if shared is not None:
        return shared
    account = spotify_account(user)
    if account is None:
        raise NeedsSignIn
    with Spotify(account) as spotify:
        found = spotify.get_track(spotify_id)
    return _store(found)


@atomic_with_retry
def _store(found: SpotifyTrack) -> Track:
    described, expires_at = columns_of(found), timezone.now() + LIFETIME
    track, is_new = Track.objects.get_or_create(
        source=Track.Source.SPOTIFY,
        source_id=found.id,
        defaults={**described, "expires_at": expires_at},
    )
    if not is_new:
        for name, value in described.items():
            setattr(track, name, value)
        # It may stand in somebody's library, for longer.
        track.expires_at = max(track.expires_at or expires_at, expires_at)
        track.save()
    return track
