"""The switch between one's own and new music, and how far one's own music has been read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import disconnect_spotify, withdraw_spotify
from accounts.spotify.scopes import SCOPES, Purpose
from recommender.catalogue import reccobeats
from recommender.library import services as library
from recommender.library.store import Found, store_tracks
from recommender.models import FeatureMiss, LibrarySync, LibraryTrack, Suggestion, Track
from recommender.selectors import current_suggestions, story_tuning
from stories.models import Story
from stories.services import refresh_outdated
from tests.factories import make_spotify_account, make_user
from tests.stories.pages.conftest import HTMX, text, url

pytestmark = pytest.mark.django_db
PART = "/tracks/library/"


@pytest.fixture
def own(me: User) -> Track:
    """The only track of the person's own music."""
    later = timezone.now() + timedelta(days=30)
    found = Found("0" * 22, "Mine", ["Me"], about={"valence": 0.7, "energy": 0.7})
    (track_id,) = store_tracks(user=me, source="saved", found=[found], expires_at=later)
    return Track.objects.get(pk=track_id)


def sync(user: User, state: str, **fields: Any) -> LibrarySync:
    return LibrarySync.objects.create(user=user, state=state, **fields)


def test_the_switch_chooses_whose_music_is_suggested(
    client: Client, ready: Story, own: Track
) -> None:
    page = text(client.post(url("scope", ready), {"music": "mine"}, headers=HTMX))
    assert 'value="mine" checked' in page
    assert [one.track for one in current_suggestions(ready.pk)] == [own]
    client.post(url("scope", ready), {"music": "new"})
    assert own not in [one.track for one in current_suggestions(ready.pk)]
    assert story_tuning(ready.pk).music == "new"
    client.post(url("steer", ready), {"steering": "0.5"})
    assert own not in [one.track for one in current_suggestions(ready.pk)]


def test_the_switch_over_the_api(me: User, ready: Story, own: Track) -> None:
    api = APIClient()
    api.force_authenticate(me)
    address = reverse("api-story-music", args=[ready.pk])
    assert api.get(address).json()["music"] == "mix"
    assert api.patch(address, {"music": "mine"}).json()["music"] == "mine"
    assert [one.track for one in current_suggestions(ready.pk)] == [own]
    assert api.patch(address, {"music": "ours"}).status_code == 400


def test_people_without_own_music_are_led_to_it_instead(client: Client, ready: Story) -> None:
    page = text(client.get(url("story", ready)))
    assert "Whose music?" not in page
    assert 'href="/accounts/#own-music"' in page
    page = text(client.post(url("scope", ready), {"music": "ours"}, follow=True))
    assert "choose my music, mix, or new to me" in page


def test_the_account_page_offers_to_use_ones_own_music(client: Client, me: User) -> None:
    page = text(client.get("/accounts/"))
    assert "Use my Spotify music" in page
    assert "It trains nothing" in page
    assert "every" not in page[page.index('id="own-music"') :][:400]


def test_who_signed_in_with_spotify_is_offered_their_own_music_with_the_next_photo(
    client: Client, me: User
) -> None:
    offer = 'href="/accounts/spotify/allow/library/?next=/stories/new/"'
    assert offer not in text(client.get("/stories/new/"))
    account = make_spotify_account(me, purposes=[], scopes="")
    assert offer in text(client.get("/stories/new/"))
    account.purposes, account.scopes = ["library"], " ".join(SCOPES[Purpose.LIBRARY])
    account.save()
    assert offer not in text(client.get("/stories/new/"))


def test_reading_is_followed_until_it_is_done(client: Client, me: User, own: Track) -> None:
    held = sync(me, "reading", n_read=150, n_total=500)
    page = text(client.get(PART, headers=HTMX))
    assert '<strong class="nums">150</strong> of about 500 tracks' in page
    assert 'max="500" value="150"' in page
    assert 'hx-trigger="every 2s"' in page
    LibrarySync.objects.filter(pk=held.pk).update(state="done", next_at=timezone.now())
    page = text(client.get(PART, headers=HTMX))
    assert "hx-trigger" not in page
    assert "read again on" in page


def test_a_sync_that_waits_says_why_and_when_it_goes_on(client: Client, me: User) -> None:
    later = timezone.now() + timedelta(hours=13)
    sync(me, "waiting", error="Spotify is limiting requests.", next_at=later)
    page = text(client.get(PART, headers=HTMX)).replace("\xa0", " ")
    assert "Spotify is limiting requests. Storify goes on by itself in 13 hours" in page
    assert f"{later:%H:%M} (UTC)" in page
    assert 'hx-trigger="every 30s"' in page
    assert "five of these ids and a mood" in page


def test_a_wait_of_seconds_is_never_said_to_be_over(client: Client, me: User) -> None:
    later = timezone.now() + timedelta(seconds=15)
    sync(me, "waiting", error="Spotify is limiting requests.", next_at=later)
    assert "goes on by itself in 1 minute" in text(client.get(PART, headers=HTMX))


@pytest.fixture
def moodless(me: User) -> Track:
    """A track of the person's whose mood ReccoBeats hasn't been asked for yet."""
    later = timezone.now() + timedelta(days=30)
    found = [Found("1" * 22, "Unknown", ["Me"])]
    (track_id,) = store_tracks(user=me, source="saved", found=found, expires_at=later)
    return Track.objects.get(pk=track_id)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (reccobeats.LIMITING, "is limiting requests"),
        ("ReccoBeats answered 503", "answering properly"),
    ],
)
def test_while_reccobeats_is_paused_the_page_says_why_no_mood_is_known_and_when_it_goes_on(
    client: Client, me: User, own: Track, moodless: Track, reason: str, words: str
) -> None:
    sync(me, "done", next_at=timezone.now() + timedelta(days=7))
    paused = reccobeats.CIRCUIT_BREAKER.open(timedelta(hours=3), reason)
    page = text(client.get(PART, headers=HTMX))
    assert "The mood of 1 of them isn’t known yet" in page
    assert words in page
    assert "asks again by itself in 3 hours" in page
    assert f"{paused.until:%H:%M, }" in page
    assert 'hx-trigger="every 30s"' in page


def test_moods_that_are_looked_up_are_followed_until_they_are_known_or_missed(
    client: Client, me: User, own: Track, moodless: Track
) -> None:
    sync(me, "done", next_at=timezone.now() + timedelta(days=7))
    assert "looking up the mood of 1 more" in text(client.get(PART, headers=HTMX))
    FeatureMiss.objects.create(track=moodless, provider="reccobeats", asked_at=timezone.now())
    page = text(client.get(PART, headers=HTMX))
    assert "looking up" not in page
    assert "hx-trigger" not in page


def test_without_reccobeats_nothing_is_said_to_be_asked(
    client: Client, me: User, moodless: Track, settings: Any
) -> None:
    settings.FEATURE_PROVIDERS = ["import"]
    assert "looking up" not in text(client.get(PART, headers=HTMX))


def test_a_sync_that_failed_can_be_tried_again(
    client: Client, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "enqueue_sync", lambda **_: None)
    make_spotify_account(
        me,
        purposes=["library"],
        scopes="playlist-read-private user-library-read user-read-recently-played user-top-read",
    )
    sync(me, "failed", error="Ask whoever runs this site.")
    page = text(client.get("/accounts/"))
    assert "Ask whoever runs this site." in page
    assert "Try again" in page
    client.post(f"{PART}read/")
    assert LibrarySync.objects.get().state == "queued"


def test_the_copy_is_deleted_on_request(client: Client, me: User, own: Track) -> None:
    sync(me, "done")
    page = text(client.post(f"{PART}delete/", follow=True))
    assert "copy of your music is deleted" in page
    assert "Delete this copy" not in page
    assert not LibraryTrack.objects.exists()
    assert not LibrarySync.objects.exists()


def delete_copy(me: User, client: Client) -> None:
    client.post(f"{PART}delete/")


def stop_using_it(me: User, client: Client) -> None:
    withdraw_spotify(user=me, purpose=Purpose.LIBRARY)


def disconnect(me: User, client: Client) -> None:
    me.set_password("lingonberry jam 7")
    me.save()
    disconnect_spotify(user=me)
    client.force_login(me)


@pytest.mark.parametrize("leave", [delete_copy, stop_using_it, disconnect])
def test_a_story_of_ones_own_music_gets_other_tracks_when_that_is_gone(
    client: Client, me: User, ready: Story, own: Track, leave: Callable[[User, Client], None]
) -> None:
    make_spotify_account(me)
    client.post(url("scope", ready), {"music": "mine"})
    Suggestion.objects.filter(story_id=ready.pk).exclude(track=own).delete()
    assert [one.track for one in current_suggestions(ready.pk)] == [own]

    leave(me, client)
    assert current_suggestions(ready.pk) == []
    refresh_outdated()

    assert current_suggestions(ready.pk)
    assert "No tracks left" not in text(client.get(url("story", ready)))


def test_a_list_that_is_left_stays_as_it_is(
    client: Client, me: User, ready: Story, own: Track
) -> None:
    client.post(url("scope", ready), {"music": "new"})
    before = [one.pk for one in current_suggestions(ready.pk)]
    delete_copy(me, client)
    refresh_outdated()
    assert [one.pk for one in current_suggestions(ready.pk)] == before != []


def test_own_music_that_is_not_ready_says_so(
    client: Client, me: User, ready: Story, moodless: Track
) -> None:
    page = text(client.post(url("scope", ready), {"music": "mine"}, headers=HTMX))
    assert "Nothing of your own music is ready for this story yet" in page


def test_nobody_else_sees_or_changes_it(client: Client, me: User, own: Track) -> None:
    client.force_login(make_user())
    assert "1</strong> track of your" not in text(client.get(PART, headers=HTMX))
    client.post(f"{PART}delete/")
    assert LibraryTrack.objects.exists()
    client.logout()
    for part in ("", "read/", "more/", "delete/"):
        assert client.post(f"{PART}{part}").status_code in {302, 405}
    assert LibraryTrack.objects.exists()
