"""Saves to Spotify: carried out once, undone, and tried again while Spotify is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from django.utils import timezone

from accounts.models import SpotifyAccount, User
from accounts.services import disconnect_spotify
from accounts.spotify.errors import MissingScope
from stories.errors import NotConnectedError, UnknownPlaylistError
from stories.models import SpotifyPlaylist, SpotifySave
from stories.saving.services import remove_from_spotify, save_to_spotify, send_due_saves
from stories.saving.work import GIVE_UP_AFTER, carry_out_save
from tests.factories import make_user
from tests.stories.saving.conftest import OTHER, SONG, FakeServer, Worker

pytestmark = pytest.mark.django_db
QUEUED, DONE, FAILED = SpotifySave.State.values


@pytest.fixture(autouse=True)
def commit_at_once() -> Iterator[None]:
    """Run what waits for the commit when the service returns."""
    with patch("django.db.transaction.on_commit", lambda run, **_: run()):
        yield


def test_a_track_goes_to_the_library_and_out_again(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save_to_spotify(user=listener, spotify_id=SONG, to="library")
    worker.run()
    assert (spotify.library, SpotifySave.objects.get().state) == ([SONG], DONE)

    remove_from_spotify(user=listener, spotify_id=SONG, to="library")
    worker.run()
    assert spotify.library == []
    assert not SpotifySave.objects.exists()


def test_a_track_that_was_saved_elsewhere_can_be_removed(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    spotify.library = [SONG, OTHER]
    remove_from_spotify(user=listener, spotify_id=SONG, to="library")
    worker.run()
    assert spotify.library == [OTHER]


def test_asking_twice_and_a_message_that_comes_twice_add_a_track_once(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    first = save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    again = save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    assert (first, worker.waiting) == (again, [first.pk])
    worker.run()
    carry_out_save(save_id=first.pk)
    save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    worker.run()

    assert spotify.names() == ["Storify"]
    assert [*spotify.items.values()] == [[SONG]]


def test_a_playlist_that_is_there_already_is_used_and_one_of_somebody_else_is_not(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    theirs = spotify.add_playlist("Storify", owner="somebody")
    earlier = spotify.add_playlist("Storify", OTHER)
    save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    worker.run()
    assert (spotify.items[earlier], spotify.items[theirs]) == ([OTHER, SONG], [])


def test_a_public_playlist_of_our_name_is_left_alone(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    public = spotify.add_playlist("Storify", public=True)
    save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    worker.run()
    assert [one for name, one in spotify.items.items() if name != public] == [[SONG]]


def test_a_playlist_that_became_public_is_said_and_takes_no_permission_away(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save = save_to_spotify(user=listener, spotify_id=SONG, to=spotify.add_playlist("Road"))
    spotify.public = {*spotify.playlists}
    worker.run()
    save.refresh_from_db()
    assert (save.state, save.needs_permission) == (FAILED, False)
    assert "playlist is public" in save.error
    save_to_spotify(user=listener, spotify_id=SONG, to="library")
    worker.run()
    assert spotify.library == [SONG]


def test_each_month_has_its_playlist(listener: User, spotify: FakeServer, worker: Worker) -> None:
    for month in (11, 12):
        day = timezone.now().replace(year=2026, month=month, day=3)
        with patch.object(timezone, "localdate", return_value=day.date()):
            save_to_spotify(user=listener, spotify_id=SONG, to="month")
        worker.run()
    assert spotify.names() == ["Storify · November 2026", "Storify · December 2026"]
    assert {*SpotifyPlaylist.objects.values_list("key", flat=True)} == {"2026-11", "2026-12"}


def test_a_picked_playlist_must_be_ones_own(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    own, theirs = spotify.add_playlist("Road"), spotify.add_playlist("Hits", owner="somebody")
    save = save_to_spotify(user=listener, spotify_id=SONG, to=own)
    worker.run()
    assert (spotify.items[own], save.place) == ([SONG], "“Road”")
    with pytest.raises(UnknownPlaylistError):
        save_to_spotify(user=listener, spotify_id=SONG, to=theirs)
    remove_from_spotify(user=listener, spotify_id=SONG, to=own)
    worker.run()
    assert spotify.items[own] == []


def test_a_track_that_is_far_up_in_a_long_playlist_is_not_added_again(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    long = spotify.add_playlist("Long", *[OTHER] * 60, SONG, *[OTHER] * 70)
    save_to_spotify(user=listener, spotify_id=SONG, to=long)
    worker.run()
    assert spotify.items[long].count(SONG) == 1


def test_a_playlist_of_ours_that_is_gone_is_made_again(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    worker.run()
    spotify.playlists.clear()
    save = save_to_spotify(user=listener, spotify_id=OTHER, to="storify")
    worker.run()
    _let_time_pass(save)
    send_due_saves()
    worker.run()
    assert [spotify.items[one] for one in spotify.playlists] == [[OTHER]]


def test_a_picked_playlist_that_is_gone_is_said(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save = save_to_spotify(user=listener, spotify_id=SONG, to=spotify.add_playlist("Road"))
    spotify.playlists.clear()
    worker.run()
    save.refresh_from_db()
    assert save.state == FAILED
    assert "playlist is gone" in save.error


@pytest.mark.parametrize(
    "away",
    [
        {"down": True},
        {"failing": httpx.Response(503)},
        {"failing": httpx.Response(429, headers={"Retry-After": "7"})},
    ],
)
def test_a_save_waits_while_spotify_is_away_and_is_carried_out_afterwards(
    listener: User, spotify: FakeServer, worker: Worker, away: dict[str, Any]
) -> None:
    vars(spotify).update(away)
    save = save_to_spotify(user=listener, spotify_id=SONG, to="library")
    worker.run()
    save.refresh_from_db()
    assert (save.state, save.claim) == (QUEUED, None)
    assert save.due_at > timezone.now()
    assert "Spotify" in save.error
    assert send_due_saves() == 0

    spotify.down, spotify.failing = False, None
    from django.core.cache import cache

    cache.clear()  # the circuit closes
    _let_time_pass(save)
    assert send_due_saves() == 1
    worker.run()
    assert spotify.library == [SONG]


def test_a_quota_of_hours_is_waited_for(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    spotify.failing = httpx.Response(
        429, headers={"Retry-After": "46800"}, json={"error": {"reason": "QUOTA_EXCEEDED"}}
    )
    save = save_to_spotify(user=listener, spotify_id=SONG, to="library")
    worker.run()
    save.refresh_from_db()
    assert save.due_at - timezone.now() > timedelta(hours=12)


def test_a_save_is_given_up_after_three_days(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    spotify.down = True
    save = save_to_spotify(user=listener, spotify_id=SONG, to="library")
    SpotifySave.objects.update(asked_at=timezone.now() - GIVE_UP_AFTER - timedelta(minutes=1))
    worker.run()
    save.refresh_from_db()
    assert (save.state, "try again" in save.error) == (FAILED, True)


def test_while_the_broker_is_down_the_periodic_task_sends_it_later(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    worker.down = True
    save_to_spotify(user=listener, spotify_id=SONG, to="library")
    assert send_due_saves() == 0
    worker.down = False
    assert send_due_saves() == 1
    worker.run()
    assert spotify.library == [SONG]


def test_a_save_that_was_never_tried_is_undone_without_asking_spotify(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save_to_spotify(user=listener, spotify_id=SONG, to="library")
    assert remove_from_spotify(user=listener, spotify_id=SONG, to="library") is None
    worker.run()
    assert (spotify.sent, SpotifySave.objects.count()) == ([], 0)


def test_an_undo_while_the_worker_saves_is_carried_out_after_it(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save = save_to_spotify(user=listener, spotify_id=SONG, to="library")

    def undo(request: httpx.Request) -> None:
        spotify.before = lambda request: None
        remove_from_spotify(user=listener, spotify_id=SONG, to="library")
        carry_out_save(save_id=save.pk)  # another worker, which has to wait
        assert spotify.library == []

    spotify.before = undo
    worker.run()
    send_due_saves()
    worker.run()
    assert [one.method for one in spotify.sent] == ["PUT", "DELETE"]
    assert (spotify.library, SpotifySave.objects.count()) == ([], 0)


def test_a_save_of_a_worker_that_died_is_taken_over(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    from stories.saving.selectors import STALE_AFTER
    from tests.stories.saving.conftest import some_id

    save = save_to_spotify(user=listener, spotify_id=SONG, to="library")
    SpotifySave.objects.update(claim=some_id(), claimed_at=timezone.now())
    worker.run()
    assert spotify.sent == []
    SpotifySave.objects.update(claimed_at=timezone.now() - STALE_AFTER - timedelta(seconds=1))
    carry_out_save(save_id=save.pk)
    assert spotify.library == [SONG]


def test_two_workers_make_one_playlist(listener: User, spotify: FakeServer, worker: Worker) -> None:
    first = save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    second = save_to_spotify(user=listener, spotify_id=OTHER, to="storify")
    worker.waiting.clear()

    def meanwhile(request: httpx.Request) -> None:
        spotify.before = lambda request: None
        carry_out_save(save_id=second.pk)

    spotify.before = meanwhile
    carry_out_save(save_id=first.pk)
    _let_time_pass(second)
    carry_out_save(save_id=second.pk)
    assert spotify.names() == ["Storify"]
    assert [*spotify.items.values()] == [[SONG, OTHER]]


def test_without_permission_nothing_is_queued(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    with pytest.raises(NotConnectedError):
        save_to_spotify(user=make_user(), spotify_id=SONG, to="library")
    SpotifyAccount.objects.update(purposes=[])
    with pytest.raises(MissingScope):
        save_to_spotify(user=listener, spotify_id=SONG, to="library")
    assert not SpotifySave.objects.exists()


def test_a_permission_that_was_taken_back_meanwhile_is_said(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    save = save_to_spotify(user=listener, spotify_id=SONG, to="library")
    SpotifyAccount.objects.update(purposes=[])
    worker.run()
    save.refresh_from_db()
    assert (save.state, save.needs_permission, spotify.library) == (FAILED, True, [])


def test_disconnecting_forgets_what_was_saved_where(
    listener: User, spotify: FakeServer, worker: Worker
) -> None:
    listener.email, listener.password = "a@storify.test", "!"
    listener.set_password("goats-and-grandma")
    listener.save()
    save = save_to_spotify(user=listener, spotify_id=SONG, to="storify")
    disconnect_spotify(user=listener)
    carry_out_save(save_id=save.pk)
    assert (SpotifySave.objects.count(), SpotifyPlaylist.objects.count()) == (0, 0)
    assert spotify.sent == []


def _let_time_pass(save: SpotifySave) -> None:
    SpotifySave.objects.filter(pk=save.pk).update(due_at=timezone.now())
