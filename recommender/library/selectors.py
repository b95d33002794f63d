"""Read a person's library and how far reading it has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import SpotifyAccount, User
from accounts.selectors import spotify_allowed
from accounts.spotify.app import SANDBOX_ID_PREFIX
from accounts.spotify.scopes import Purpose
from recommender.models import FeatureMiss, LibrarySync, LibraryTrack, Track

Source = LibraryTrack.Source
ASK_AGAIN_AFTER = timedelta(days=30)
# A worker that has stored no page for so long is gone.
STALE_AFTER = timedelta(minutes=3)


def sync_of(user: User) -> LibrarySync | None:
    """How far the person's library has been read; None if it never was."""
    return LibrarySync.objects.filter(user=user).first()


def due_syncs(now: datetime) -> QuerySet[LibrarySync]:
    """Syncs that a worker should begin or go on with."""
    reading = LibrarySync.State.READING
    return LibrarySync.objects.filter(
        (Q(next_at__lte=now) & ~Q(state=reading))
        | Q(state=reading, claimed_at__lte=now - STALE_AFTER)
    )


def library_of(user: User) -> QuerySet[LibraryTrack]:
    """Everything in the person's library that has not expired."""
    return LibraryTrack.objects.filter(user=user, expires_at__gt=timezone.now())


def own_music(user: User) -> QuerySet[LibraryTrack]:
    """The library without what ReccoBeats recommended to go with it."""
    return library_of(user).exclude(source=Source.RECOMMENDED)


def library_size(user: User) -> int:
    """How many tracks of their own the person has here."""
    return own_music(user).aggregate(n=Count("track", distinct=True))["n"] or 0


def has_own_music(user: User) -> bool:
    """Whether there is a library, or one that is being read."""
    return LibrarySync.objects.filter(user=user).exists() or own_music(user).exists()


def lacks_spotify_music(user: User) -> bool:
    """Whether the person is connected to Spotify, but hasn't let Storify use their music there."""
    is_unasked = spotify_account(user) and Purpose.LIBRARY not in spotify_allowed(user)
    return bool(is_unasked) and not has_own_music(user)


def n_with_mood(user: User) -> int:
    """How many of them can be suggested, because their features are known."""
    known = own_music(user).filter(valence__isnull=False, energy__isnull=False)
    return known.aggregate(n=Count("track", distinct=True))["n"] or 0


def n_to_ask(user: User, provider: str, *, made_up: bool) -> int:
    """How many of them have no mood because this provider hasn't been asked for it yet.

    With `made_up` of those that the sandbox made up, else of the others.
    """
    asked = FeatureMiss.objects.filter(track=OuterRef("track"), provider=provider)
    lacking = own_music(user).filter(Q(valence=None) | Q(energy=None)).exclude(Exists(asked))
    is_made_up = Q(track__source_id__startswith=SANDBOX_ID_PREFIX)
    theirs = lacking.filter(is_made_up if made_up else ~is_made_up)
    return theirs.aggregate(n=Count("track", distinct=True))["n"] or 0


def sizes_by_source(user: User) -> dict[str, int]:
    """How many tracks the person has from each source that gave any."""
    rows = library_of(user).order_by().values("source").annotate(n=Count("track", distinct=True))
    return {row["source"]: row["n"] for row in rows}


def expiry_of(user: User) -> datetime | None:
    """When the last of the person's tracks expires, unless it's read again."""
    latest: datetime | None = own_music(user).aggregate(at=Max("expires_at"))["at"]
    return latest


def seeds(user_id: int, valence: float, energy: float, *, limit: int) -> list[str]:
    """Spotify ids of the person's own tracks nearest to a mood."""
    held = LibraryTrack.objects.filter(
        user_id=user_id, expires_at__gt=timezone.now(), valence__isnull=False
    ).exclude(source=Source.RECOMMENDED)
    off_valence, off_energy = F("valence") - valence, F("energy") - energy
    away = Min(off_valence * off_valence + off_energy * off_energy)
    nearest = held.order_by().values("track__source_id").annotate(away=away)
    return [row["track__source_id"] for row in nearest.order_by("away", "track__source_id")[:limit]]


def spotify_account(user: User) -> SpotifyAccount | None:
    """The person's own account; no job of theirs uses another."""
    return SpotifyAccount.objects.filter(user=user, needs_sign_in=False).first()


def tracks_lacking_facts(user: User | None, provider: str, *, limit: int) -> list[Track]:
    """The person's tracks whose popularity is unknown and was not asked for recently.

    Without a person those of everybody.
    """
    asked = FeatureMiss.objects.filter(
        track=OuterRef("pk"), provider=provider, asked_at__gt=timezone.now() - ASK_AGAIN_AFTER
    )
    live = LibraryTrack.objects.filter(expires_at__gt=timezone.now())
    held = (library_of(user) if user else live).order_by().values("track")
    lacking = Track.objects.filter(~Exists(asked), pk__in=held, popularity=None)
    return list(lacking.order_by("pk")[:limit])


def needless_tracks(ids: list[UUID]) -> QuerySet[Track]:
    """Private tracks among these that no library, choice or suggestion needs."""
    unused = {"libraries": None, "choices": None, "suggestions": None}
    return Track.objects.filter(pk__in=ids, source=Track.Source.SPOTIFY, **unused)
