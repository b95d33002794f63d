"""Steering, filters, learning, undo and search on the story and music pages."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from recommender import selectors, services
from recommender.models import Track
from recommender.selectors import current_suggestions
from recommender.services import suggest_tracks
from stories.models import Story
from stories.pages.presenters import direction
from stories.selectors import mood_of
from tests.factories import make_ready_story, make_story, make_track, make_user
from tests.stories.pages.conftest import text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def me(client: Client) -> User:
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def ready(me: User) -> Story:
    for i in range(6):
        make_track(title=f"Song number {i}", genre="jazz" if i % 2 else "pop", energy=0.7)
    story = make_ready_story(me)
    mood = mood_of(story)
    assert mood
    suggest_tracks(user=me, story_id=story.pk, mood=mood)
    return story


def url(name: str, story: Story) -> str:
    return reverse(f"stories:{name}", args=[story.pk])


def test_slider_steers_and_keeps_its_place(client: Client, ready: Story) -> None:
    page = text(client.get(url("story", ready)))
    assert re.search(r'id="steering"[^>]*value="0.0"', page)
    page = text(client.post(url("steer", ready), {"steering": "0.5"}, follow=True))
    assert re.search(r'id="steering"[^>]*value="0.5"[^>]*aria-valuetext="lift"', page)
    assert {s.steering for s in current_suggestions(ready.pk)} == {0.5}
    part = text(client.post(url("steer", ready), {"steering": "1"}, headers=HTMX))
    assert "Now: contrast" in part
    assert "<html" not in part


def test_correcting_the_mood_keeps_the_direction(client: Client, ready: Story) -> None:
    client.post(url("steer", ready), {"steering": "1"})
    client.post(url("correct", ready), {"valence": "0.3", "energy": "0.3"})
    assert {s.steering for s in current_suggestions(ready.pk)} == {1.0}


@pytest.mark.parametrize("steering", ["", "2", "-1", "up", "nan"])
def test_strange_directions_are_refused(client: Client, ready: Story, steering: str) -> None:
    before = current_suggestions(ready.pk)
    page = client.post(url("steer", ready), {"steering": steering}, follow=True)
    assert "Please choose match, lift or contrast." in text(page)
    assert current_suggestions(ready.pk) == before


@pytest.mark.parametrize("page", ["steer", "filter"])
def test_story_that_is_not_ready_cannot_be_tuned(client: Client, me: User, page: str) -> None:
    story = make_story(me)
    answer = client.post(url(page, story), {"steering": "1"}, follow=True)
    assert "been analysed yet" in text(answer)


@pytest.mark.parametrize(
    ("steering", "words"),
    [
        *((0, "match"), (0.5, "lift"), (1, "contrast"), (0.25, "between match and lift")),
        *((0.74, "between lift and contrast"), (0.04, "match"), (0.97, "contrast")),
    ],
)
def test_direction_is_told_in_words(steering: float, words: str) -> None:
    assert direction(steering) == words


def test_filters_count_here_and_for_the_next_story(client: Client, me: User, ready: Story) -> None:
    page = client.post(url("filter", ready), {"genres": ["jazz and blues"]}, follow=True)
    assert "1 on" in text(page)
    assert {s.track.genre for s in current_suggestions(ready.pk)} == {"jazz"}
    other = make_ready_story(me)
    client.post(url("steer", other), {"steering": "0"})
    assert {s.track.genre for s in current_suggestions(other.pk)} == {"jazz"}
    part = text(client.post(url("filter", ready), {}, headers=HTMX))
    assert "1 on" not in part
    assert {s.track.genre for s in current_suggestions(ready.pk)} == {"jazz", "pop"}


def test_filters_that_leave_nothing_say_so(client: Client, ready: Story) -> None:
    page = text(client.post(url("filter", ready), {"year_from": "2100"}, follow=True))
    assert "Your filters may be too strict" in page
    assert '<details class="filters" open>' in page
    assert current_suggestions(ready.pk) == []
    client.post(url("filter", ready), {})
    assert len(current_suggestions(ready.pk)) == 6


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"year_from": "2000", "year_to": "1990"}, "The first year is after the last one."),
        ({"genres": ["polka"]}, "polka"),
        ({"year_from": "soon"}, "whole number"),
    ],
)
def test_filters_that_make_no_sense_are_refused(
    client: Client, me: User, ready: Story, sent: dict[str, Any], reason: str
) -> None:
    assert reason in text(client.post(url("filter", ready), sent))
    assert selectors.music_preferences(me).n_filters == 0


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_filters_that_are_refused_stay_as_they_were_typed(
    client: Client, ready: Story, headers: dict[str, str]
) -> None:
    sent = {"genres": ["jazz and blues"], "year_from": "2000", "year_to": "1990"}
    answer = client.post(url("filter", ready), sent, headers=headers)
    page = text(answer)
    assert answer.status_code == 422
    assert '<details class="filters" open>' in page
    assert re.search(r'value="jazz and blues"[^>]* checked', page)
    assert 'name="year_from" value="2000"' in page


def test_reason_of_a_refused_year_belongs_to_its_field(client: Client, ready: Story) -> None:
    page = text(client.post(url("filter", ready), {"year_to": "1"}, headers=HTMX))
    described = re.search(r'name="year_to"[^>]* aria-describedby="([^"]+)"', page)
    assert described
    assert f'id="{described[1]}"' in page


def test_story_can_be_kept_out_of_the_taste(client: Client, me: User, ready: Story) -> None:
    client.post(url("choose", ready), {"track": current_suggestions(ready.pk)[0].track_id})
    part = text(client.post(url("learning", ready), {"learns": "no"}, headers=HTMX))
    assert "Learn from this story again" in part
    profile = selectors.taste_profile(me)
    assert profile
    assert profile.n_choices == 0
    page = text(client.post(url("learning", ready), {"learns": "yes"}, follow=True))
    assert "Don’t learn from this story" in page
    page = text(client.post(url("learning", ready), {"learns": "?"}, follow=True))
    assert "Please choose yes or no." in page


def test_another_track_is_found_and_saved(client: Client, ready: Story) -> None:
    track = make_track(title="Bohemian Rhapsody", artists=["Queen"], energy=0.01)
    page = text(client.get(url("find", ready), {"q": "bohemain"}))
    assert "<html" in page
    assert re.findall("<h([1-6])", page) == ["1", "2", "3"]
    assert f'value="{track.pk}"' in page
    part = text(client.get(url("find", ready), {"q": "bohemain"}, headers=HTMX))
    assert "<html" not in part
    client.post(url("choose", ready), {"track": track.pk})
    choice = selectors.get_choice(ready.pk)
    assert choice
    assert choice.track == track
    part = text(client.get(url("find", ready), {"q": "zzzzz"}, headers=HTMX))
    assert "No tracks found for" in part


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"q": "queen", "genre": "rock", "year": "2000-1990"}, "1990-1999"),
        ({"q": "queen", "genre": "rock" * 13, "year": "1999"}, "at most 50 characters"),
    ],
)
def test_search_that_is_refused_stays_as_it_was_typed(
    client: Client, ready: Story, sent: dict[str, str], reason: str
) -> None:
    page = text(client.get(url("find", ready), sent))
    assert reason in page.split('id="found"')[1]
    assert all(f'value="{typed}"' in page for typed in sent.values())


def test_others_stories_cannot_be_tuned(client: Client, ready: Story) -> None:
    client.force_login(make_user())
    for name in ("steer", "filter", "learning", "restore"):
        assert client.post(url(name, ready), {"steering": "1"}).status_code == 404
    assert client.get(url("find", ready), {"q": "x"}).status_code == 404
    for track in ("", "x", str(uuid4())):
        assert client.post(url("restore", ready), {"suggestion": track}).status_code == 404


def test_what_others_were_shown_is_not_brought_back(client: Client, ready: Story) -> None:
    page = client.post(url("restore", ready), {"suggestion": str(uuid4())}, follow=True)
    assert "no longer exists" in text(page)


# --- the page of a person's music -----------------------------------------------------------------

TASTE = "/tracks/taste/"


def test_newcomers_are_asked_once_what_they_like(client: Client, me: User, ready: Story) -> None:
    new = reverse("stories:new")
    assert "Tell Storify what you like" in text(client.get(new))
    sent = {"liked_genres": ["pop"], "next": new}
    page = client.post(f"{TASTE}likes/", sent, follow=True)
    assert page.redirect_chain == [(new, 302)]
    assert "Tell Storify what you like" not in text(page)
    assert selectors.music_preferences(me).liked_genres == ["pop"]


def test_a_question_with_a_single_answer_is_not_asked(client: Client, ready: Story) -> None:
    languages, new = "languages do you like to hear", reverse("stories:new")
    Track.objects.update(language="zxx")
    assert languages not in client.get(new).content.decode()
    Track.objects.filter(genre="jazz").update(language="en")
    assert languages in client.get(new).content.decode()


def test_the_question_can_be_skipped(client: Client, me: User) -> None:
    answer = client.post(f"{TASTE}likes/", {"skip": "yes", "next": "https://evil.test/"})
    assert answer["Location"] == TASTE
    assert not selectors.is_new_to_music(me)


def test_taste_is_reset_and_the_reset_undone(client: Client, me: User, ready: Story) -> None:
    services.save_choice(user=me, story_id=ready.pk, track_id=make_track().pk)
    assert "1 saved track" in text(client.get(TASTE))
    page = text(client.post(f"{TASTE}reset/", follow=True))
    assert "Undo the reset" in page
    assert "1 saved track" not in page
    assert "1 saved track" in text(client.post(f"{TASTE}undo/", follow=True))


def test_filters_are_kept_on_the_page_of_music_too(client: Client, me: User, ready: Story) -> None:
    client.post(f"{TASTE}filters/", {"no_explicit": "on", "year_to": "1999"})
    result = selectors.music_preferences(me)
    assert (result.allow_explicit, result.year_to, result.n_filters) == (False, 1999, 2)
    page = client.post(f"{TASTE}filters/", {"year_from": "2000", "year_to": "1999"})
    assert page.status_code == 422
    assert "The first year is after the last one." in text(page)
    assert client.post(f"{TASTE}likes/", {"liked_genres": ["polka"]}).status_code == 422


def test_the_page_of_music_is_for_people_who_signed_in(client: Client) -> None:
    assert client.get(TASTE).status_code == 302
    for part in ("likes", "filters", "reset", "undo"):
        assert client.post(f"{TASTE}{part}/").status_code == 302


def test_pages_say_who_may_see_a_story(client: Client, me: User) -> None:
    who = "staff with permission to review photos"
    for page in ("stories:new", "accounts:notice"):
        assert who in text(client.get(reverse(page)))
    client.logout()
    assert who in text(client.get("/"))
