"""Ask for a track to be saved to Spotify, or to be removed again; a worker carries it out."""

from __future__ import annotations

import contextlib
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import SpotifyAccount, User
from accounts.spotify.errors import MissingScope
from accounts.spotify.scopes import Purpose
from accounts.spotify.types import Playlist
from accounts.transactions import atomic_with_retry
from recommender.locks import lock_person
from recommender.models import Choice
from recommender.selectors import get_choice
from stories.errors import (
    NotConnectedError,
    NothingChosenError,
    NotOnSpotifyError,
    UnknownPlaylistError,
)
from stories.models import SpotifyPlaylist, SpotifySave, Story
from stories.models.spotify_saves import name_of_month
from stories.saving import selectors, spotify
from stories.services import job_publisher

LIBRARY, STORIFY, MONTH = "library", SpotifyPlaylist.STORIFY, "month"
SEND_AT_ONCE = 500


def chosen_on_spotify(story: Story) -> tuple[Choice, str]:
    """The story's choice and its id at Spotify. Raises NothingChosenError, NotOnSpotifyError."""
    choice = get_choice(story.pk)
    if choice is None:
        raise NothingChosenError
    if choice.track.spotify_id is None:
        raise NotOnSpotifyError
    return choice, choice.track.spotify_id


def own_playlists(*, user: User) -> list[Playlist]:
    """The playlists to choose from. Raises as `save_to_spotify`."""
    return spotify.own_playlists(_account(user))


def save_to_spotify(*, user: User, spotify_id: str, to: str) -> SpotifySave:
    """Queue the track for the library, or for a playlist; asking twice changes nothing.

    `to` is "library", "storify", "month" (this month's playlist) or the id of an own playlist.
    Raises NotConnectedError, MissingScope, UnknownPlaylistError, or a SpotifyError if the playlists
    can't be looked up.
    """
    account = _account(user)
    if to == LIBRARY:
        return _queue_save(user=user, spotify_id=spotify_id, key="", name="")
    ours = made_here()
    key = _this_month() if to == MONTH else to
    if key in ours:
        return _queue_save(user=user, spotify_id=spotify_id, key=key, name=ours[key])
    name = _name_of_picked(user, to) or _name_of_own(spotify.own_playlists(account), to)
    return _queue_save(user=user, spotify_id=spotify_id, key=to, name=name)


def _account(user: User) -> SpotifyAccount:
    allowed = spotify.permission(user)
    if allowed.account is None:
        raise NotConnectedError
    if not allowed.may_save:
        raise MissingScope(Purpose.SAVE)
    return allowed.account


def made_here() -> dict[str, str]:
    """The names, by key, of the playlists that Storify makes: its own and this month's."""
    return {STORIFY: "Storify", _this_month(): name_of_month(timezone.localdate())}


def _this_month() -> str:
    return timezone.localdate().strftime(SpotifyPlaylist.MONTH)


def _name_of_picked(user: User, key: str) -> str:
    """The name of a playlist that was used before."""
    used = SpotifyPlaylist.objects.filter(user=user, key=key)
    return used.values_list("name", flat=True).first() or ""


def _name_of_own(playlists: list[Playlist], playlist_id: str) -> str:
    for playlist in playlists:
        if playlist.id == playlist_id:
            return playlist.name[:200] or "Untitled"
    raise UnknownPlaylistError


@atomic_with_retry
def _queue_save(*, user: User, spotify_id: str, key: str, name: str) -> SpotifySave:
    lock_person(user.pk)
    playlist = None
    if key:
        picked = "" if key in made_here() else key
        playlist, _ = SpotifyPlaylist.objects.get_or_create(
            user=user, key=key, defaults={"name": name, "spotify_id": picked}
        )
    place = {"user": user, "spotify_id": spotify_id, "playlist": playlist}
    save, is_new = SpotifySave.objects.select_for_update(of=("self",)).get_or_create(
        **place, defaults={"wanted": True}
    )
    if is_new or not (save.wanted and save.state == SpotifySave.State.QUEUED):
        _queue(save, wanted=True)
    return save


@atomic_with_retry
def remove_from_spotify(*, user: User, spotify_id: str, to: str) -> SpotifySave | None:
    """Queue the removal of a track that was saved; return None if nothing is left to do.

    A save that was never tried is forgotten at once. `to` is as the save's.
    """
    lock_person(user.pk)
    place = {"playlist__key": to} if to != LIBRARY else {"playlist": None}
    asked = SpotifySave.objects.select_for_update(of=("self",)).filter(
        user=user, spotify_id=spotify_id, **place
    )
    save = asked.first()
    if save is None:
        if to != LIBRARY:
            return None
        # It's in the library, but not by Storify.
        save = SpotifySave.objects.create(user=user, spotify_id=spotify_id, wanted=False)
    elif save.wanted and not save.attempts:
        save.delete()
        return None
    _queue(save, wanted=False)
    return save


def _queue(save: SpotifySave, *, wanted: bool) -> None:
    """The claim stays: two workers never work on one save at the same time."""
    now = timezone.now()
    save.wanted, save.state, save.error = wanted, SpotifySave.State.QUEUED, ""
    save.needs_permission, save.asked_at, save.due_at = False, now, now
    save.attempts = min(save.attempts, 1)  # 0 means that Spotify can't have it yet
    save.save()
    transaction.on_commit(partial(_publish, save.pk))


def _publish(save_id: UUID) -> None:
    # Otherwise `send_due_saves` does it soon.
    with contextlib.suppress(job_publisher.BrokerUnavailableError):
        job_publisher.publish_save(save_id)


def send_due_saves() -> int:
    """Publish the saves whose time has come; return how many."""
    sent = 0
    for save_id in selectors.due_saves().values_list("pk", flat=True)[:SEND_AT_ONCE]:
        try:
            job_publisher.publish_save(save_id)
        except job_publisher.BrokerUnavailableError:
            break
        sent += 1
    return sent


def withdraw_saving(user: User, purpose: Purpose) -> None:
    """Forget what waits and what was saved where, when the permission is taken back."""
    if purpose == Purpose.SAVE:
        forget_saves(user)


def forget_saves(user: User) -> None:
    """Forget what was saved where, when Spotify is disconnected; Spotify keeps the tracks."""
    if account := spotify.permission(user).account:
        spotify.forget_playlists(account)
    SpotifySave.objects.filter(user=user).delete()
    SpotifyPlaylist.objects.filter(user=user).delete()
