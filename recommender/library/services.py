"""Services that change a person's library."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender.library import selectors
from recommender.locks import lock_person
from recommender.models import LibrarySync, LibraryTrack, Suggestion, Track
from recommender.services.catalogue import delete_unused

MORE_SAVED = 500
# The message that starts a sync may take this long; after that it's sent again.
LOST_AFTER = timedelta(seconds=30)
AT_ONCE = 100
logger = logging.getLogger(__name__)


@atomic_with_retry
def start_sync(*, user: User) -> LibrarySync:
    """Read the person's library from the beginning, in the background.

    What is being read already, or waits for Spotify, goes on.
    """
    lock_person(user.pk)
    sync, is_new = LibrarySync.objects.get_or_create(
        user=user, defaults={"next_at": timezone.now() + LOST_AFTER}
    )
    if not is_new and sync.state != LibrarySync.State.READING:
        if sync.state == LibrarySync.State.FAILED:
            sync.cursor = {}
        sync.state, sync.error = LibrarySync.State.QUEUED, ""
        sync.next_at = timezone.now() + LOST_AFTER
        sync.save(update_fields=["state", "error", "next_at", "cursor"])
    transaction.on_commit(lambda: enqueue_sync(user_id=user.pk))
    return sync


@atomic_with_retry
def read_more(*, user: User) -> LibrarySync:
    """Read 500 more of the person's saved tracks than so far."""
    sync = start_sync(user=user)
    sync.saved_limit += MORE_SAVED
    sync.save(update_fields=["saved_limit"])
    return sync


def continue_syncs() -> int:
    """Send the tasks of all libraries whose reading is due; return how many."""
    due = [
        *selectors.due_syncs(timezone.now())
        .order_by("next_at")
        .values_list("pk", flat=True)[:AT_ONCE]
    ]
    for user_id in due:
        enqueue_sync(user_id=user_id)
    return len(due)


def enqueue_sync(*, user_id: int) -> None:
    """Send the task; while the broker is down, `continue_syncs` sends it later."""
    try:
        current_app.send_task("recommender.tasks.sync_library", args=[user_id])
    except OperationalError:
        logger.warning("The queue is down; a library is read later")


@atomic_with_retry
def delete_library(*, user: User, keep_imports: bool = False) -> int:
    """Delete the person's own music, and tracks that nobody else needs; return how many of theirs.

    It leaves their suggestions, too; tracks that they saved stay with their stories. With
    `keep_imports` what came from files stays.
    """
    lock_person(user.pk)
    LibrarySync.objects.filter(user=user).delete()
    everything = LibraryTrack.objects.filter(user=user)
    imported = everything.filter(source=LibraryTrack.Source.IMPORT)
    kept = imported if keep_imports else everything.none()
    held = everything.exclude(pk__in=kept.values("pk"))
    tracks = {*held.order_by().values_list("track_id", flat=True)}
    held.delete()
    shown = Suggestion.objects.filter(user=user, track__source=Track.Source.SPOTIFY, choices=None)
    shown.exclude(track__in=kept.values("track")).delete()
    delete_needless(track_ids=tracks)
    return len(tracks)


@atomic_with_retry
def expire_libraries() -> int:
    """Delete what has expired from all libraries, and tracks that nobody needs; return how many."""
    expired = LibraryTrack.objects.filter(expires_at__lte=timezone.now())
    rows = [*expired.order_by().values_list("pk", "track_id")]
    LibraryTrack.objects.filter(pk__in=[pk for pk, _ in rows]).delete()
    delete_needless(track_ids={track_id for _, track_id in rows})
    return len(rows)


def delete_needless(*, track_ids: Iterable[UUID]) -> int:
    """Delete those of these private tracks that no library, choice or suggestion needs."""
    return delete_unused(tracks=selectors.needless_tracks([*track_ids]))
