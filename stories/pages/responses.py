"""How pages answer once something was done: with the part that changed, or with the page anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from recommender.errors import SuggestionNotFoundError
from recommender.selectors import get_suggestion
from stories import selectors
from stories.errors import StoryError
from stories.models import Story
from stories.pages import story_page
from stories.pages.access import PageRequest, own_story


def go_to(request: PageRequest, story: Story) -> HttpResponse:
    place = reverse("stories:story", args=[story.id])
    return HttpResponseClientRedirect(place) if request.htmx else redirect(place)


def story_action(
    view: Callable[[PageRequest, Story], HttpResponse],
) -> Callable[..., HttpResponseBase]:
    """A view that changes the person's own story, or says above it why it did not."""

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
    """Say why nothing was changed, above the story as it is."""
    messages.error(request, reason)
    return go_to(request, story)


def changed(request: PageRequest, story: Story, words: str) -> HttpResponse:
    """The story anew; without HTMX on its page, with what happened in words."""
    if request.htmx:
        return story_part(request, selectors.get_story(request.user, story.id), words)
    if words:
        messages.success(request, words)
    return redirect("stories:story", story.id)


def story_part(request: PageRequest, story: Story, words: str) -> HttpResponse:
    """The story for the page that is open, and `words` for those who do not see it change."""
    page = {**story_page.context(story), "announcement": words}
    return render(request, "stories/_changed.html", page)


def choice_part(request: PageRequest, story: Story) -> HttpResponse:
    """Only what the saving changed, so that a track that plays goes on playing."""
    return render(request, "stories/_choice.html", story_page.tracks(story))


def refused(request: PageRequest, story: Story, suggestion_id: UUID) -> HttpResponse:
    """In the place of the track that was taken off the list, the way to bring it back."""
    if not request.htmx:
        return redirect("stories:story", story.id)
    page = {"story": story, "suggestion": get_suggestion(request.user, suggestion_id)}
    return render(request, "stories/_refused.html", page)
