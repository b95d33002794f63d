"""Views that save a story's track to Spotify, remove it, and list the playlists to choose from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import reswap

from accounts.spotify.client import SpotifyError
from accounts.spotify.errors import MissingScope
from accounts.web.access import PageRequest
from recommender.selectors import get_choice
from stories.errors import ChoiceChangedError, NotConnectedError, StoryError
from stories.models import Story
from stories.pages import responses
from stories.pages.access import own_story
from stories.saving import services, spotify
from stories.saving.panel import panel, shows

SAVING = "Your track is on its way to Spotify."
REMOVING = "Your track is being removed from there."


class PlaceForm(forms.Form):
    """Where to, and the track that the page shows; another may be the saved one by now."""

    to = forms.CharField(max_length=40)
    spotify_id = forms.CharField(required=False)


@require_safe
@own_story
def spotify_save(request: PageRequest, story: Story) -> HttpResponse:
    """Render where the track is saved, according to Spotify; 204 if the page shows that already.

    If the page shows another track than the saved one, all about the saved one is rendered.
    """
    if not request.htmx:
        return redirect("stories:story", story.id)
    page, shown = _page(story), request.GET.get("saving_state", "")
    if shown == page.get("saving_state", ""):
        return HttpResponse(status=204)
    if not shows(shown, page.get("spotify_id")) or not page["spotify_saving"].may_save:
        return reswap(responses.choice_part(request, story), "none")
    return render(request, "stories/_spotify_places.html", page)


@responses.story_action
def save(request: PageRequest, story: Story) -> HttpResponse:
    try:
        services.save_to_spotify(**_asked(request, story))
    except (MissingScope, NotConnectedError):
        return responses.go_to_page(request, allow_saving(story))
    except SpotifyError as error:
        return responses.refuse(request, story, str(error))
    return _saved(request, story, SAVING)


@responses.story_action
def remove(request: PageRequest, story: Story) -> HttpResponse:
    services.remove_from_spotify(**_asked(request, story))
    return _saved(request, story, REMOVING)


def _asked(request: PageRequest, story: Story) -> dict[str, Any]:
    """What the form asks of the services. Raises StoryError."""
    choice, spotify_id = services.chosen_on_spotify(story)
    form = PlaceForm(request.POST)
    if not form.is_valid():
        raise StoryError("Please choose your library or a playlist.")
    if form.cleaned_data["spotify_id"] != spotify_id:
        raise ChoiceChangedError
    return {"user": choice.user, **form.cleaned_data}


def allow_saving(story: Story) -> str:
    """The page that asks for the permission and comes back to the story."""
    return f"{reverse('accounts:spotify-allow', args=['save'])}?next={_address(story)}"


@require_safe
@own_story
def playlists(request: PageRequest, story: Story) -> HttpResponse:
    """Render the playlists to choose from: on the story's page, or on a page of its own."""
    choice = get_choice(story.pk)
    page: dict[str, Any] = {"story": story, "choice": choice, **panel(choice)}
    if not page["spotify_saving"] or not page["spotify_saving"].may_save:
        return responses.go_to(request, story)
    page["own_playlists"] = []
    try:
        made = set(page["playlist_choices"].values())
        own = spotify.own_playlists(page["spotify_saving"].account)
        page["own_playlists"] = [one for one in own if one.name not in made]
    except SpotifyError as error:
        page["playlists_error"] = str(error)
    name = "_spotify_playlists" if request.htmx else "spotify_playlists"
    return render(request, f"stories/{name}.html", page)


def _address(story: Story) -> str:
    return reverse("stories:story", args=[story.id])


def _saved(request: PageRequest, story: Story, words: str) -> HttpResponse:
    if request.htmx:
        # By its id: the list that was there at the click may have been replaced by a poll.
        return render(request, "stories/_spotify_places.html", {**_page(story), "oob": True})
    messages.success(request, words)
    return redirect("stories:story", story.id)


def _page(story: Story) -> dict[str, Any]:
    return {"story": story, **panel(get_choice(story.pk), ask=True)}
