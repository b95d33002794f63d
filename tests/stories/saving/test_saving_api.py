"""Saving to Spotify over the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import SpotifyAccount, User
from stories.models import SpotifySave, Story
from tests.factories import make_ready_story, make_user
from tests.stories.saving.conftest import SONG, FakeServer, Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(listener: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(listener)
    return client


def address(story: Story, *more: Any) -> str:
    name = "api-story-spotify-save" if more else "api-story-spotify"
    return reverse(name, args=[story.pk, *more])


def test_a_track_is_saved_shown_and_removed(
    api: APIClient, story: Story, spotify: FakeServer, worker: Worker
) -> None:
    assert api.get(address(story)).json() == {
        "spotify_id": SONG,
        "in_library": False,
        "saves": [],
    }
    answer = api.post(address(story), {"to": "library"})
    save = SpotifySave.objects.get()
    assert (answer.status_code, answer.json()["id"]) == (202, str(save.pk))
    assert answer.json()["state"] == "queued"
    api.post(address(story), {"to": "storify"})
    worker.waiting = [one.pk for one in SpotifySave.objects.all()]
    worker.run()

    shown = api.get(address(story)).json()
    assert shown["in_library"] is True
    assert [(one["to"], one["name"], one["state"]) for one in shown["saves"]] == [
        ("library", None, "done"),
        ("storify", "Storify", "done"),
    ]
    assert shown["saves"][1]["playlist_id"] in spotify.playlists
    assert api.delete(address(story, save.pk)).status_code == 204
    worker.waiting = [save.pk]
    worker.run()
    assert api.get(address(story)).json()["in_library"] is False


def test_what_cannot_be_saved_is_a_problem_that_says_why(
    api: APIClient, story: Story, listener: User, spotify: FakeServer
) -> None:
    assert api.post(address(story), {}).status_code == 400
    assert api.post(address(story), {"to": "nowhere"}).json()["errors"].keys() == {"to"}
    assert api.delete(address(story, uuid4())).status_code == 404
    empty = make_ready_story(listener)
    assert api.post(address(empty), {"to": "library"}).json()["code"] == "nothing_chosen"
    SpotifyAccount.objects.update(purposes=[])
    answer = api.post(address(story), {"to": "library"})
    assert (answer.status_code, answer.json()["code"]) == (403, "spotify_not_allowed")
    SpotifyAccount.objects.all().delete()
    answer = api.post(address(story), {"to": "library"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")


def test_playlists_to_choose_from_are_ones_own(
    api: APIClient, listener: User, spotify: FakeServer
) -> None:
    own = spotify.add_playlist("Road")
    spotify.add_playlist("Hits", owner="somebody")
    place = reverse("api-playlists")
    assert api.get(place).json() == [{"id": own, "name": "Road"}]
    other = APIClient()
    other.force_authenticate(make_user())
    assert other.get(place).status_code == 409


def test_others_stories_are_not_found(story: Story, spotify: FakeServer) -> None:
    other = APIClient()
    other.force_authenticate(make_user())
    for answer in (
        other.get(address(story)),
        other.post(address(story), {"to": "library"}),
        other.delete(address(story, uuid4())),
    ):
        assert answer.status_code == 404
