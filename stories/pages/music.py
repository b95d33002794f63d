"""Views that steer a story's music, filter it, restore a track and search for one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.access import PageRequest
from recommender import selectors as music
from recommender import services as recommender
from recommender.catalogue.spotify_search import FIRST, search_spotify, unsaved_track
from recommender.pages.forms import FiltersForm
from stories import services
from stories.models import Story
from stories.pages import responses, story_page
from stories.pages.access import own_story
from stories.pages.forms import FindForm, LearningForm, MusicScopeForm, SteeringForm, SuggestionForm

FOUND_AT_MOST = 8
NOT_LEARNED = "Storify won't learn from this story."


@responses.story_action
def steer(request: PageRequest, story: Story) -> HttpResponse:
    return _tune(request, story, SteeringForm, "Please choose match, lift or contrast.")


@responses.story_action
def filter_tracks(request: PageRequest, story: Story) -> HttpResponse:
    """Save the filters for this person and rank the story's tracks with them."""
    form = FiltersForm(music.music_preferences(request.user), request.POST)
    if not form.is_valid():
        return responses.ask_again(request, story, "filters", form)
    recommender.set_preferences(user=request.user, **form.preferences())
    services.suggest_again(story=story)
    return responses.changed(
        request, story, "Your filters are saved. They apply to all your stories."
    )


@responses.story_action
def set_music_scope(request: PageRequest, story: Story) -> HttpResponse:
    return _tune(request, story, MusicScopeForm, "Please choose my music, mix, or new to me.")


def _tune(request: PageRequest, story: Story, kind: type[forms.Form], refusal: str) -> HttpResponse:
    form = kind(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, refusal)
    services.tune_story(story=story, user=request.user, **form.cleaned_data)
    return responses.changed(request, story, "The suggestions are updated.")


@responses.story_action
def set_learning(request: PageRequest, story: Story) -> HttpResponse:
    form = LearningForm(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, "Please choose yes or no.")
    services.tune_story(story=story, user=request.user, **form.cleaned_data)
    if request.htmx:
        return render(request, "stories/_learning.html", story_page.tracks(story))
    learns = form.cleaned_data["learns"]
    messages.success(request, "Storify will learn from this story." if learns else NOT_LEARNED)
    return redirect("stories:story", story.id)


@responses.story_action
def restore(request: PageRequest, story: Story) -> HttpResponse:
    """Restore a track that was removed from the list."""
    form = SuggestionForm(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, "There's no such suggestion.")
    suggestion_id = form.cleaned_data["suggestion"]
    shown = recommender.give_feedback(user=request.user, suggestion_id=suggestion_id, feedback="")
    if not request.htmx:
        return redirect("stories:story", story.id)
    page = {"story": story, "suggestion": shown, "choice": music.get_choice(story.id)}
    return render(request, "stories/_suggestion.html", page)


@require_safe
@own_story
def find(request: PageRequest, story: Story) -> HttpResponse:
    """Search the catalogue, then Spotify, for a track to save with the story."""
    form = FindForm(request.GET)
    choice = music.get_choice(story.id)
    chosen = {choice.track_id, choice.track.spotify_id} - {None} if choice else set()
    page = {"story": story, "find": form, "chosen": chosen}
    if form.is_valid() and form.cleaned_data["q"]:
        page |= _found(request.user, form)
    if not request.htmx:
        return render(request, "stories/find.html", page)
    is_next_page = form.is_valid() and form.cleaned_data["offset"]
    return render(
        request, "stories/_found_more.html" if is_next_page else "stories/_found.html", page
    )


def _found(user: User, form: FindForm) -> dict[str, Any]:
    q, genre, year, offset = (form.cleaned_data[n] for n in ("q", "genre", "year", "offset"))
    local = music.search_tracks(q, FOUND_AT_MOST, genre=genre, years=form.years())
    results = search_spotify(user, q, genre=genre, year=year, offset=offset or FIRST)
    listed = {track.spotify_id for track in local}
    words = {"q": q, "genre": genre, "year": year}
    more = {**words, "offset": results.next_offset} if results.next_offset else None
    return {
        **words,
        "found": local,
        "results": results,
        "on_spotify": [unsaved_track(one) for one in results.tracks if one.id not in listed],
        "more": more and urlencode(more),
    }
