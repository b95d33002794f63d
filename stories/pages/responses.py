"""Responses to actions: the changed partial for HTMX, a redirect for everyone else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.web.access import PageRequest
from recommender.errors import SuggestionNotFoundError
from recommender.selectors import get_suggestion
from stories import selectors
from stories.errors import StoryError
from stories.models import Story
from stories.pages import story_page
from stories.pages.access import own_story


def go_to(request: PageRequest, story: Story) -> HttpResponse:
    return go_to_page(request, reverse("stories:story", args=[story.id]))


def go_to_page(request: PageRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def story_action(
    view: Callable[[PageRequest, Story], HttpResponse],
) -> Callable[..., HttpResponseBase]:
    """Decorate a POST view that changes one's own story; show story errors above the story."""

    @require_POST
    @own_story
    @wraps(view)
    def wrapped(request: PageRequest, story: Story) -> HttpResponse:
        try:
            return view(request, story)
        except Story.DoesNotExist as error:  # deleted meanwhile, in another window
            raise Http404 from error
        except (StoryError, SuggestionNotFoundError) as error:
            return refuse(request, story, str(error))

    return wrapped


def refuse(request: PageRequest, story: Story, reason: str) -> HttpResponse:
    """Show why nothing was changed, above the unchanged story."""
    messages.error(request, reason)
    return go_to(request, story)


def ask_again(request: PageRequest, story: Story, name: str, form: Form) -> HttpResponse:
    """Render the unchanged story with a form as it was sent, and what is wrong with it."""
    reasons = [str(reason) for errors in form.errors.values() for reason in errors]
    page = {**story_page.context(story), name: form, "announcement": " ".join(reasons)}
    template = "stories/_changed.html" if request.htmx else "stories/story.html"
    return render(request, template, page, status=422)


def changed(request: PageRequest, story: Story, words: str) -> HttpResponse:
    """Render the changed story; without HTMX, redirect to it with a message."""
    if request.htmx:
        return story_part(request, selectors.get_story(request.user, story.id), words)
    if words:
        messages.success(request, words)
    return redirect("stories:story", story.id)


def story_part(request: PageRequest, story: Story, words: str) -> HttpResponse:
    """Render the story for the open page, with `words` for screen readers."""
    page = {**story_page.context(story), "announcement": words}
    return render(request, "stories/_changed.html", page)


def choice_part(request: PageRequest, story: Story) -> HttpResponse:
    """Render only what saving changes, so that a playing track keeps playing."""
    return render(request, "stories/_choice.html", story_page.tracks(story))


def refused(request: PageRequest, story: Story, suggestion_id: UUID) -> HttpResponse:
    """Replace the removed track by a button that restores it."""
    if not request.htmx:
        return redirect("stories:story", story.id)
    page = {"story": story, "suggestion": get_suggestion(request.user, suggestion_id)}
    return render(request, "stories/_refused.html", page)
