"""Views that steer a story's music, filter it, restore a track and search for one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.web.access import PageRequest
from recommender import selectors as music
from recommender import services as recommender
from recommender.pages.forms import FiltersForm
from stories import services
from stories.models import Story
from stories.pages import responses, story_page
from stories.pages.access import own_story
from stories.pages.forms import LearningForm, SteeringForm, SuggestionForm

FOUND_AT_MOST = 8
NOT_LEARNED = "Storify won't learn from this story."


@responses.story_action
def steer(request: PageRequest, story: Story) -> HttpResponse:
    form = SteeringForm(request.POST)
    if not form.is_valid():
        return responses.refuse(request, story, "Please choose match, lift or contrast.")
    services.tune_story(story=story, user=request.user, **form.cleaned_data)
    return responses.changed(request, story, "The suggestions are updated.")


@responses.story_action
def filter_tracks(request: PageRequest, story: Story) -> HttpResponse:
    """Save the filters for this person and rank the story's tracks with them."""
    form = FiltersForm(music.music_preferences(request.user), request.POST)
    if not form.is_valid():
        reasons = [reason for errors in form.errors.values() for reason in errors]
        return responses.refuse(request, story, " ".join(map(str, reasons)))
    recommender.set_preferences(user=request.user, **form.preferences())
    services.suggest_again(story=story)
    return responses.changed(
        request, story, "Your filters are saved. They apply to all your stories."
    )


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
    """Search the catalogue by title and artist for a track to save with the story."""
    q = request.GET.get("q", "").strip()
    page = {
        "story": story,
        "q": q,
        "found": music.search_tracks(q, FOUND_AT_MOST),
        "choice": music.get_choice(story.id),
    }
    template = "stories/_found.html" if request.htmx else "stories/find.html"
    return render(request, template, page)
