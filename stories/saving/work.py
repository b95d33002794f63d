"""Carry out saves: one call to Spotify each, tried again while Spotify is away."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import timezone

from accounts.models import SpotifyAccount
from accounts.selectors import spotify_account
from accounts.spotify.client import Spotify
from accounts.spotify.errors import (
    MissingScope,
    NeedsSignIn,
    NotFound,
    RateLimited,
    SpotifyError,
    SpotifyUnavailable,
)
from stories.models import SpotifyPlaylist, SpotifySave
from stories.saving import selectors, spotify

DESCRIPTION = "Music that I chose for my photos with Storify."
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
GAVE_UP = "Spotify couldn't be reached for three days. You can try again."
PLAYLIST_GONE = "That playlist is gone, or it isn't yours any more. Choose another one."
PAGE = 50
# So many of a playlist's newest items are looked through, so that a track isn't added twice.
LOOKED_THROUGH = 500

logger = logging.getLogger(__name__)


class PlaylistBeingMadeError(Exception):
    """Another worker is making the playlist."""


def carry_out_save(*, save_id: UUID) -> None:
    """Save or remove the track at Spotify, if the row is due and no other worker holds it.

    What only takes time is queued again; anything else fails with words for the person.
    """
    save = _claim(save_id)
    if save is None:
        return
    try:
        _carry_out(save)
    except PlaylistBeingMadeError:
        _postpone(save, timezone.now() + timedelta(seconds=2), "")
    except RateLimited as error:
        _postpone(save, error.until, f"{error.cause}.")
    except SpotifyUnavailable as error:
        _postpone(save, timezone.now() + _backoff(save.attempts), str(error))
    except SpotifyError as error:
        _fail(save, error)
    else:
        _finish(save)


def _claim(save_id: UUID) -> SpotifySave | None:
    due, claim = selectors.due_saves().filter(pk=save_id), uuid4()
    if not due.update(claim=claim, claimed_at=timezone.now(), attempts=F("attempts") + 1):
        return None
    held = SpotifySave.objects.filter(pk=save_id, claim=claim)
    return held.select_related("user", "playlist").first()


def _carry_out(save: SpotifySave) -> None:
    account = spotify_account(save.user)
    if account is None:
        raise NeedsSignIn
    with Spotify(account) as client:
        if save.playlist is None:
            change = client.save_to_library if save.wanted else client.remove_from_library
            change([save.spotify_id])
            spotify.forget_is_in_library(account, save.spotify_id)
        elif save.wanted:
            _add(client, account, save.playlist, save.spotify_id)
        elif save.playlist.spotify_id:
            client.remove_from_playlist(save.playlist.spotify_id, [save.spotify_id])


def _add(
    client: Spotify, account: SpotifyAccount, playlist: SpotifyPlaylist, spotify_id: str
) -> None:
    """Add the track, unless it's there. A playlist of Storify's is made when it's missing."""
    try:
        playlist_id = playlist.spotify_id or _make(client, account, playlist)
        if not _is_in_playlist(client, playlist_id, spotify_id):
            client.add_to_playlist(playlist_id, [spotify_id])
    except NotFound as error:
        if not playlist.is_made_here:
            raise SpotifyError(PLAYLIST_GONE) from error
        SpotifyPlaylist.objects.filter(pk=playlist.pk).update(spotify_id="", claimed_at=None)
        raise SpotifyUnavailable from error


def _make(client: Spotify, account: SpotifyAccount, playlist: SpotifyPlaylist) -> str:
    """Make the playlist, by one worker at a time, or take one of that name that was made before."""
    now, unmade = timezone.now(), SpotifyPlaylist.objects.filter(pk=playlist.pk, spotify_id="")
    free = unmade.exclude(claimed_at__gt=selectors.stale_before())
    if not free.update(claimed_at=now):
        made = SpotifyPlaylist.objects.filter(pk=playlist.pk).exclude(spotify_id="").first()
        if made is None:
            raise PlaylistBeingMadeError
        return made.spotify_id
    try:
        playlist_id = _find_or_create(client, playlist.name)
    except SpotifyError:
        unmade.filter(claimed_at=now).update(claimed_at=None)
        raise
    SpotifyPlaylist.objects.filter(pk=playlist.pk).update(spotify_id=playlist_id)
    spotify.forget_playlists(account)
    return playlist_id


def _find_or_create(client: Spotify, name: str) -> str:
    found = [one.id for one in spotify.read_own_playlists(client) if one.name == name]
    return found[0] if found else client.create_playlist(name, DESCRIPTION).id


def _is_in_playlist(client: Spotify, playlist_id: str, spotify_id: str) -> bool:
    """Whether the track is among the playlist's newest items, which come last."""
    page = client.playlist_items(playlist_id, limit=PAGE)
    offsets = range(PAGE, page.total, PAGE)
    newest = [*reversed(offsets)][: LOOKED_THROUGH // PAGE - 1]
    pages = (client.playlist_items(playlist_id, offset=offset, limit=PAGE) for offset in newest)
    return any(
        spotify_id in (item.track.id, item.track.linked_from)
        for one in (page, *pages)
        for item in one.items
    )


def _finish(save: SpotifySave) -> None:
    """Note that it's done, unless the person changed their mind meanwhile."""
    done = {"state": SpotifySave.State.DONE, "error": "", "claim": None}
    held = SpotifySave.objects.filter(pk=save.pk, claim=save.claim)
    if not save.wanted:
        held.filter(wanted=False).delete()
    elif held.filter(wanted=True).update(**done):
        return
    held.update(claim=None, due_at=timezone.now())


def _postpone(save: SpotifySave, until: datetime, reason: str) -> None:
    if timezone.now() - save.asked_at > GIVE_UP_AFTER:
        _fail(save, SpotifyError(GAVE_UP))
        return
    held = SpotifySave.objects.filter(pk=save.pk, claim=save.claim)
    held.update(claim=None, due_at=until, error=reason[:300])


def _fail(save: SpotifySave, error: SpotifyError) -> None:
    held = SpotifySave.objects.filter(pk=save.pk, claim=save.claim)
    changed_mind = held.exclude(wanted=save.wanted).update(claim=None, due_at=timezone.now())
    if not changed_mind:
        held.update(
            claim=None,
            state=SpotifySave.State.FAILED,
            error=str(error)[:300],
            needs_permission=isinstance(error, (MissingScope, NeedsSignIn)),
        )
    logger.info("a save to Spotify failed: %s", type(error).__name__)


def _backoff(attempts: int) -> timedelta:
    wait = min(FIRST_WAIT * 2 ** min(attempts - 1, 10), LONGEST_WAIT)
    return timedelta(seconds=wait.total_seconds() * random.uniform(0.8, 1.2))
