"""Read a person's library in the background: by pages, resumable, within Spotify's limits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import SpotifyAccount, User
from accounts.spotify.client import (
    MissingScope,
    NeedsSignIn,
    NotAllowed,
    RateLimited,
    Spotify,
    SpotifyError,
)
from accounts.transactions import atomic_with_retry
from recommender.library import reading, selectors
from recommender.library.services import delete_needless
from recommender.library.store import FROM_SPOTIFY, LIFETIME, store_tracks
from recommender.locks import lock_person
from recommender.models import LibrarySync, LibraryTrack

REFRESH_AFTER = timedelta(days=7)
TRY_AGAIN_AFTER = timedelta(minutes=10)
# What only the operator can mend, such as Premium or the allow-list.
LOOK_AGAIN_AFTER = timedelta(days=1)
# One run takes no longer, so that it never keeps a worker from its other tasks; the next goes on.
SECONDS = 60.0
# Enough for the newest 500 saved tracks, what was played, and the list of playlists.
CALLS_ON_DAY_ONE = 15
PLAYLISTS_AFTER = timedelta(days=1)
PLAYLISTS_LATER = (
    "What you saved and played is here. Your playlists follow tomorrow, so that Spotify isn't "
    "asked too much at once."
)

State = LibrarySync.State
logger = logging.getLogger(__name__)


class ClaimLostError(Exception):
    """The person disconnected, or another worker took over."""


def run_sync(
    *,
    user_id: int,
    after_page: Callable[[User], object],
    transport: httpx.BaseTransport | None = None,
    seconds: float = SECONDS,
) -> LibrarySync | None:
    """Read the next pages of the person's library; None if it isn't due, or somebody else does.

    `after_page` is called whenever a page was stored, outside any transaction.
    """
    sync = _claim(user_id)
    if sync is None:
        return None
    account = SpotifyAccount.objects.filter(user_id=user_id).first()
    if account is None:
        _let_go(sync, State.FAILED, None, str(NeedsSignIn()))
        return sync
    try:
        with Spotify(account, transport=transport) as spotify:
            _read_pages(sync, spotify, after_page, time.monotonic() + seconds)
    except ClaimLostError:
        return None
    except RateLimited as error:
        _let_go(sync, State.WAITING, error.until, f"{error.cause}.")
    except (NeedsSignIn, MissingScope) as error:
        _let_go(sync, State.FAILED, None, str(error))
    except NotAllowed as error:
        _let_go(sync, State.WAITING, timezone.now() + LOOK_AGAIN_AFTER, str(error))
    except SpotifyError as error:
        _let_go(sync, State.WAITING, timezone.now() + TRY_AGAIN_AFTER, str(error))
    return sync


def _claim(user_id: int) -> LibrarySync | None:
    """Take hold of the sync if it waits for a worker; begin a new pass if the last is over."""
    now = timezone.now()
    waiting = selectors.due_syncs(now) | LibrarySync.objects.filter(state=State.QUEUED)
    taken = waiting.filter(pk=user_id).update(state=State.READING, claimed_at=now, error="")
    if not taken:
        return None
    sync = LibrarySync.objects.select_related("user").filter(pk=user_id).first()
    if sync is None:  # disconnected meanwhile
        return None
    # What an old pass stores would soon expire, or has expired by now.
    if reading.is_over(sync.cursor) or sync.started_at < now - REFRESH_AFTER:
        sync.cursor, sync.started_at = reading.first_cursor(), now
        sync.n_read = sync.n_total = sync.n_skipped = sync.n_calls = 0
    return sync


def _read_pages(
    sync: LibrarySync, spotify: Spotify, after_page: Callable[[User], object], deadline: float
) -> None:
    while not reading.is_over(sync.cursor):
        playlists_at = sync.started_at + PLAYLISTS_AFTER
        is_much = sync.cursor["step"] == "playlist" and sync.n_calls >= CALLS_ON_DAY_ONE
        if is_much and timezone.now() < playlists_at:
            return _let_go(sync, State.WAITING, playlists_at, PLAYLISTS_LATER)
        if time.monotonic() >= deadline:
            return _let_go(sync, State.QUEUED, timezone.now(), "")
        _keep(sync, reading.read_page(spotify, sync.cursor, sync.saved_limit))
        after_page(sync.user)
    _forget_the_rest(sync)
    return _let_go(sync, State.DONE, timezone.now() + REFRESH_AFTER, "")


@atomic_with_retry
def _keep(sync: LibrarySync, page: reading.Read) -> None:
    """Store a page together with the cursor of the next one."""
    lock_person(sync.pk)
    kept = _mine(sync).update(
        claimed_at=timezone.now(),
        cursor=page.cursor,
        started_at=sync.started_at,
        n_read=sync.n_read + len(page.found),
        n_total=sync.n_total + page.n_new,
        n_skipped=sync.n_skipped + max(page.n_listed - len(page.found), 0),
        n_calls=sync.n_calls + 1,
    )
    if not kept:
        raise ClaimLostError
    store_tracks(
        user=sync.user,
        source=page.source,
        range=page.range,
        found=page.found,
        expires_at=sync.started_at + LIFETIME,
    )
    sync.refresh_from_db()


@atomic_with_retry
def _forget_the_rest(sync: LibrarySync) -> None:
    """Delete what this pass didn't find again."""
    lock_person(sync.pk)
    gone = LibraryTrack.objects.filter(
        user_id=sync.pk,
        source__in=FROM_SPOTIFY,
        expires_at__lt=sync.started_at + LIFETIME,
    )
    tracks = {*gone.order_by().values_list("track_id", flat=True)}
    gone.delete()
    delete_needless(track_ids=tracks)


def _let_go(sync: LibrarySync, state: str, next_at: datetime | None, error: str) -> None:
    """Say when it goes on and why, unless the sync is somebody else's by now."""
    _mine(sync).update(state=state, next_at=next_at, error=error, claimed_at=None)
    sync.state, sync.next_at, sync.error = state, next_at, error
    logger.info("Library of user %s: %s after %s calls", sync.pk, state, sync.n_calls)


def _mine(sync: LibrarySync) -> QuerySet[LibrarySync]:
    return LibrarySync.objects.filter(pk=sync.pk, state=State.READING, claimed_at=sync.claimed_at)
