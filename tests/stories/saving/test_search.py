"""The search for a better track: the catalogue first, then Spotify."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import SpotifyAccount, User
from recommender.catalogue.spotify_search import WRONG_YEARS
from recommender.models import Choice, Track
from stories.models import Story
from tests.factories import make_ready_story, make_track
from tests.stories.pages.conftest import text
from tests.stories.saving.conftest import HTMX, OTHER, SONG, FakeServer, track_json, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(listener: User) -> Story:
    return make_ready_story(listener)


@pytest.fixture
def api(listener: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(listener)
    return client


def find(client: Client, story: Story, **query: Any) -> str:
    return text(client.get(url("find", story), query, headers=HTMX))


def search(api: APIClient, **query: Any) -> Any:
    answer = api.get(reverse("music-search"), query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_catalogue_comes_first_and_spotify_adds_what_it_lacks(
    signed_in: Client, api: APIClient, story: Story, song: Track, spotify: FakeServer
) -> None:
    spotify.found = [track_json(SONG), track_json(OTHER, "Rain again")]
    page = find(signed_in, story, q="rain")
    assert page.index(f'value="{song.pk}"') < page.index(f'value="{OTHER}"')
    assert f'name="spotify" value="{SONG}"' not in page
    assert Track.objects.count() == 1, "nothing of Spotify's search is stored"

    found = search(api, q="rain")
    assert [one["id"] for one in found["catalogue"]] == [str(song.pk)]
    assert [one["spotify_id"] for one in found["spotify"]["tracks"]] == [SONG, OTHER]
    assert found["spotify"]["state"] == "ok"
    assert "artwork" not in str(found["spotify"])


def test_only_the_chosen_result_is_stored_and_for_a_while(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.found = [track_json(SONG), track_json(OTHER, "Sun")]
    page = signed_in.post(url("choose", story), {"spotify": OTHER}, follow=True)
    assert "Saved “" in text(page)
    stored = Track.objects.get()
    assert (stored.source, stored.source_id, stored.title) == (Track.Source.SPOTIFY, OTHER, "Sun")
    assert (stored.release_year, stored.artwork_url) == (1994, "")
    assert stored.expires_at is not None
    assert Choice.objects.get().track == stored


def test_choosing_a_track_of_a_library_does_not_shorten_its_life_there(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.found = [track_json(OTHER, "Sun")]
    later = timezone.now() + timedelta(days=365)
    held = make_track(source=Track.Source.SPOTIFY, source_id=OTHER, expires_at=later)
    signed_in.post(url("choose", story), {"spotify": OTHER})
    assert Choice.objects.get().track == held
    held.refresh_from_db()
    assert (held.expires_at, held.title, held.valence) == (later, "Sun", 0.5)


def test_a_result_that_the_catalogue_has_is_chosen_from_there(
    signed_in: Client, story: Story, song: Track, spotify: FakeServer
) -> None:
    signed_in.post(url("choose", story), {"spotify": SONG})
    assert Choice.objects.get().track == song
    assert spotify.sent == []


@pytest.mark.parametrize(("given", "stored"), [("1994-03", "1994-03"), ("1994-3-1", ""), ("x", "")])
def test_a_date_of_spotify_in_another_form_is_not_stored(
    signed_in: Client, story: Story, spotify: FakeServer, given: str, stored: str
) -> None:
    found = track_json(OTHER)
    spotify.found = [{**found, "album": {**found["album"], "release_date": given}}]
    assert f'value="{OTHER}"' in find(signed_in, story, q="rain")
    signed_in.post(url("choose", story), {"spotify": OTHER})
    assert Track.objects.get().release_date == stored


def test_a_choice_by_its_id_at_spotify_over_the_api(
    api: APIClient, story: Story, spotify: FakeServer
) -> None:
    spotify.found = [track_json(OTHER)]
    address = reverse("api-story-choice", args=[story.pk])
    answer = api.post(address, {"spotify_id": OTHER})
    assert answer.status_code == 201
    assert answer.json() == {"track_id": str(Choice.objects.get().track_id)}
    for wrong in ({}, {"spotify_id": "short"}, {"spotify_id": OTHER, "track_id": str(story.pk)}):
        assert api.post(address, wrong).status_code == 400
    assert api.post(address, {"spotify_id": SONG}).status_code == 400
    spotify.down = True
    answer = api.post(address, {"spotify_id": SONG})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_while_spotify_is_away_the_catalogue_answers_and_says_so(
    signed_in: Client, api: APIClient, story: Story, song: Track, spotify: FakeServer
) -> None:
    spotify.down = True
    page = find(signed_in, story, q="rain")
    assert f'value="{song.pk}"' in page
    assert "Spotify can" in page
    found = search(api, q="rain")
    assert len(found["catalogue"]) == 1
    assert found["spotify"]["state"] == "away"
    assert "Spotify" in found["spotify"]["detail"]


def test_a_choice_that_spotify_does_not_answer_saves_nothing_and_says_so(
    signed_in: Client, story: Story, spotify: FakeServer
) -> None:
    spotify.down = True
    page = text(signed_in.post(url("choose", story), {"spotify": OTHER}, follow=True))
    assert "This track wasn" in page
    assert not Track.objects.exists()
    for wrong in ("x", SONG + "0"):
        page = text(signed_in.post(url("choose", story), {"spotify": wrong}, follow=True))
        assert "no such track" in page


def test_pages_of_ten_go_up_to_fifty(
    signed_in: Client, api: APIClient, story: Story, spotify: FakeServer
) -> None:
    spotify.found = [track_json(f"{number:022d}", f"Rain {number}") for number in range(80)]
    assert "offset=10" in find(signed_in, story, q="rain")
    last = find(signed_in, story, q="rain", offset=40)
    assert f'value="{49:022d}"' in last
    assert "More from Spotify" not in last
    assert '<form class="find"' not in last

    pages = [search(api, q="rain", offset=offset)["spotify"] for offset in range(0, 50, 10)]
    assert [page["next_offset"] for page in pages] == [10, 20, 30, 40, None]
    ids = [track["spotify_id"] for page in pages for track in page["tracks"]]
    assert ids == [f"{number:022d}" for number in range(50)]
    assert api.get(reverse("music-search"), {"q": "rain", "offset": "50"}).status_code == 400


def test_genre_and_years_filter_both_parts(
    signed_in: Client, api: APIClient, story: Story, spotify: FakeServer
) -> None:
    old = make_track(title="Rain", genre="Indie Rock", release_date="1994")
    new = make_track(title="Rain", genre="Indie Rock", release_date="2004")
    pop = make_track(title="Rain", genre="pop", release_date="1994")
    page = find(signed_in, story, q="rain", genre="indie rock", year="1990-1999")
    assert str(old.pk) in page
    assert str(new.pk) not in page
    assert str(pop.pk) not in page
    assert spotify.sent[-1].url.params["q"] == 'rain genre:"indie rock" year:1990-1999'
    found = search(api, q="rain", year="2004")["catalogue"]
    assert [one["id"] for one in found] == [str(new.pk)]


@pytest.mark.parametrize("year", ["lately", "99", "1999-1990", "1990-", "1990–1999", "１９９９"])
def test_a_year_that_is_none_is_said(
    signed_in: Client, api: APIClient, story: Story, spotify: FakeServer, year: str
) -> None:
    assert "Please give a year" in find(signed_in, story, q="rain", year=year)
    refused = api.get(reverse("music-search"), {"q": "rain", "year": year})
    assert refused.status_code == 400
    assert refused.json()["errors"]["year"] == [WRONG_YEARS]
    assert spotify.sent == []


def test_people_without_spotify_search_the_catalogue(
    signed_in: Client, api: APIClient, story: Story, song: Track, spotify: FakeServer
) -> None:
    SpotifyAccount.objects.all().delete()
    page = find(signed_in, story, q="rain")
    assert str(song.pk) in page
    assert "to search there, too" in page
    assert search(api, q="rain")["spotify"]["state"] == "not_connected"
    assert spotify.sent == []
