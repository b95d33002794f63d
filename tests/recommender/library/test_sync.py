import json
from datetime import timedelta

import httpx
import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recommender.library import selectors, services
from recommender.library import sync as syncing
from recommender.library.progress import progress_of
from recommender.library.store import LIFETIME
from recommender.library.sync import CALLS_ON_DAY_ONE, run_sync
from recommender.models import LibrarySync, LibraryTrack, Track
from tests.accounts.spotify.fake_spotify import refuse
from tests.recommender.library.conftest import limited, make_token_last, run, titles
from tests.recommender.library.fake_library import FakeLibrary, spotify_id, track

pytestmark = pytest.mark.django_db(transaction=True)
State = LibrarySync.State


def test_a_library_of_500_takes_15_calls_and_begins_with_what_is_played_most(user: User) -> None:
    wire, after = FakeLibrary(saved=500, top=50, recent=50), []
    sync = run(user, wire, after_page=lambda _: after.append(selectors.library_size(user)))
    assert wire.calls == CALLS_ON_DAY_ONE == sync.n_calls == 15
    assert after[0] == 50
    assert wire.asked[0].url.path.endswith("/me/top/tracks")
    assert (sync.state, sync.error) == (State.DONE, "")
    assert selectors.library_size(user) == 600
    assert (sync.n_read, sync.n_total, sync.n_skipped) == (700, 700, 0)
    assert sync.next_at is not None
    assert sync.next_at > timezone.now() + timedelta(days=6)


def test_what_storify_uses_of_a_track_is_stored(user: User) -> None:
    wire = FakeLibrary(saved=1)
    wire.saved[0]["album"]["images"] = [{"url": "https://i.scdn.co/image/a", "height": 64}]
    run(user, wire)
    held = LibraryTrack.objects.select_related("track").get(user=user)
    assert (held.source, held.range, held.rank) == ("saved", "", 1)
    assert held.added_at is not None
    assert held.added_at.year == 2026
    assert (held.track.source, held.track.source_id) == ("spotify", spotify_id(0))
    assert (held.track.title, held.track.artists) == ("Track 0", ["Artist 0"])
    assert (held.track.release_year, held.track.isrc) == (2020, "NLA320000000")
    assert held.track.artwork_url == ""  # no page shows it
    assert held.expires_at == held.track.expires_at
    assert abs(held.expires_at - timezone.now() - LIFETIME) < timedelta(minutes=1)


def test_half_an_emoji_in_a_title_fails_no_page(user: User) -> None:
    wire = FakeLibrary()
    items = [track(1, name="half \ud83c"), track(2)]
    body = json.dumps({"items": items, "limit": 50, "offset": 0, "next": None, "total": 2})
    wire.fails = lambda request: (
        httpx.Response(200, text=body) if request.url.path.endswith("/me/top/tracks") else None
    )
    assert run(user, wire).state == State.DONE
    assert {*Track.objects.values_list("title", flat=True)} == {"half ", "Track 2"}


def test_strange_items_are_skipped_and_counted(user: User) -> None:
    wire = FakeLibrary()
    wire.saved = [
        None,
        track(1),
        track(2, type="episode"),
        track(3, is_local=True, id=None),
        track(4, album=None),
        track(5, is_playable=False),
        track(6, id=spotify_id(60), linked_from={"id": spotify_id(6)}),
        track(7, name="夜に駆ける \u202e", artists=[{"name": "YOASOBI"}]),
        track(1),
        track(8, name="nul \x00"),
    ]
    sync = run(user, wire)
    known = set(Track.objects.values_list("source_id", flat=True))
    assert known == {spotify_id(n) for n in (1, 4, 6, 7, 8)}
    assert sync.state == State.DONE
    assert sync.n_skipped == 4


def test_only_the_newest_500_saved_are_read_until_more_are_wanted(user: User) -> None:
    wire = FakeLibrary(saved=620)
    run(user, wire)
    assert selectors.library_size(user) == 500
    services.read_more(user=user)
    run(user, wire)
    assert selectors.library_size(user) == 620


@pytest.mark.parametrize(("n_saved", "more"), [(500, False), (501, True)])
def test_more_is_offered_where_the_person_saved_more_than_was_read(
    user: User, n_saved: int, more: bool
) -> None:
    wire = FakeLibrary(saved=n_saved)
    wire.saved[3] = track(3, is_playable=False)
    wire.playlists = {"mine": [track(1)]}
    run(user, wire)
    yesterday = F("started_at") - timedelta(days=1)
    LibrarySync.objects.update(started_at=yesterday, next_at=timezone.now())
    assert run(user, wire).state == State.DONE
    assert len(titles(user, "saved")) == 499
    assert progress_of(user)["more_saved"] is more


def test_playlists_wait_for_the_next_day_where_the_calls_are_spent(user: User) -> None:
    wire = FakeLibrary(saved=500)
    wire.playlists = {"mine": [track(n) for n in range(3000, 3060)], "empty": []}
    wire.others = ["theirs"]
    sync = run(user, wire)
    assert (sync.state, sync.error) == (State.WAITING, syncing.PLAYLISTS_LATER)
    assert wire.calls == CALLS_ON_DAY_ONE
    day = timedelta(days=1)
    LibrarySync.objects.update(started_at=F("started_at") - day, next_at=F("next_at") - day)
    assert run(user, wire).state == State.DONE
    assert len(titles(user, "playlist")) == 60
    assert wire.count("/playlists/theirs/items") == 0


def test_a_playlist_that_is_gone_by_now_is_passed_over(user: User) -> None:
    wire = FakeLibrary()
    wire.playlists = {"gone": [track(1)], "here": [track(2)]}
    wire.fails = lambda request: refuse(404)(request) if "gone" in request.url.path else None
    assert run(user, wire).state == State.DONE
    assert titles(user, "playlist") == ["Track 2"]


@pytest.mark.parametrize("seconds", [5, 13 * 3600])
def test_a_limit_of_seconds_or_hours_is_kept_and_reading_goes_on_there(
    user: User, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = FakeLibrary(saved=200)
    wire.fails = limited(seconds, after=3)
    sync = run(user, wire)
    assert sync.state == State.WAITING
    assert sync.next_at is not None
    assert abs(sync.next_at - timezone.now() - timedelta(seconds=seconds)).total_seconds() < 5
    assert sync.error == "Spotify is limiting requests."
    assert run(user, wire).n_calls == 3
    wire.fails = lambda request: None
    later = timezone.now() + timedelta(seconds=seconds + 10)
    monkeypatch.setattr(timezone, "now", lambda: later)
    make_token_last(user)
    before = wire.calls
    assert run(user, wire).state == State.DONE
    assert selectors.library_size(user) == 200
    assert wire.asked[before].url.params["offset"] == "100"


def test_a_run_that_takes_long_goes_on_in_another(user: User) -> None:
    wire = FakeLibrary(saved=100)
    sync = run(user, wire, seconds=-1.0)
    assert (sync.state, wire.calls) == (State.QUEUED, 0)
    assert run(user, wire).state == State.DONE


def test_two_workers_never_read_the_same_library(user: User) -> None:
    wire = FakeLibrary(saved=60)
    second: list[object] = []
    run(user, wire, after_page=lambda _: second.append(
        run_sync(user_id=user.pk, after_page=lambda _: None, transport=wire)))  # fmt: skip
    assert set(second) == {None}
    assert wire.calls == 7


def test_a_dead_worker_s_sync_is_taken_over(user: User) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    LibrarySync.objects.update(state=State.READING, claimed_at=long_ago)
    assert run(user, FakeLibrary(saved=1)).state == State.DONE


def test_disconnecting_stops_a_sync_and_leaves_nothing(user: User) -> None:
    wire = FakeLibrary(saved=300)
    left = run_sync(user_id=user.pk, after_page=lambda u: services.delete_library(user=u),
                    transport=wire)  # fmt: skip
    assert left is None
    assert wire.calls == 2
    assert not LibraryTrack.objects.exists()
    assert not Track.objects.exists()
    assert not LibrarySync.objects.exists()


def test_the_weekly_refresh_drops_what_is_no_longer_there(
    user: User, monkeypatch: pytest.MonkeyPatch, no_queue: list[int]
) -> None:
    wire = FakeLibrary(saved=3)
    run(user, wire)
    wire.saved = [*wire.saved[1:], track(9)]
    later = timezone.now() + timedelta(days=7, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    make_token_last(user)
    no_queue.clear()
    assert services.continue_syncs() == 1
    assert no_queue == [user.pk]
    assert run(user, wire).state == State.DONE
    assert titles(user, "saved") == ["Track 1", "Track 2", "Track 9"]
    assert Track.objects.count() == 3


def test_what_is_not_refreshed_expires(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run(user, FakeLibrary(saved=3))
    assert services.expire_libraries() == 0
    later = timezone.now() + LIFETIME + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert services.expire_libraries() == 3
    assert not Track.objects.exists()


def test_the_page_says_that_an_account_without_music_has_none(user: User, client: Client) -> None:
    assert run(user, FakeLibrary()).state == State.DONE
    client.force_login(user)
    page = client.get(reverse("recommender:own_music"), headers={"HX-Request": "true"})
    assert "Spotify has no music of yours yet" in page.content.decode()
