"""Template context of saving a story's track to Spotify."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.spotify.errors import in_words
from recommender.models import Choice
from stories.models import SpotifySave
from stories.saving import selectors, services, spotify

# Later than this, the page says that it waits for Spotify.
SOON = timedelta(minutes=1)
LIBRARY_NAME = "your Spotify library"
POLL_SECONDS, SLOW_POLL_SECONDS = 1, 20


@dataclass(frozen=True)
class Place:
    """The library or a playlist, and how far the track is on its way there."""

    to: str
    name: str
    status: str
    """One of idle, working, waiting, saved and failed."""
    wanted: bool = True
    error: str = ""
    needs_permission: bool = False
    wait: str = ""
    """How long it waits for Spotify, in words."""


def panel(choice: Choice | None, *, ask: bool = False) -> dict[str, Any]:
    """Where the chosen track is saved; `ask` asks Spotify whether it's in the library."""
    spotify_id = choice.track.spotify_id if choice else None
    if choice is None or spotify_id is None:
        return {"spotify_saving": None}
    allowed = spotify.permission(choice.user)
    saves = selectors.saves_of(choice.user, spotify_id) if allowed.account else []
    poll_seconds = _poll_seconds(saves)
    known = allowed.account if allowed.may_save and ask and not poll_seconds else None
    places = _places(saves, spotify.is_in_library(known, spotify_id) if known else None)
    return {
        "spotify_saving": allowed,
        "spotify_id": spotify_id,
        "places": places,
        "saving_state": _state(spotify_id, places, poll_seconds),
        "asked_spotify": ask,
        "poll_seconds": poll_seconds,
        "story_address": reverse("stories:story", args=[choice.story_id]),
        "playlist_choices": services.made_here(),
        "own_playlists": None,
        "last_playlist": selectors.last_playlist_key(choice.user),
    }


def _places(saves: list[SpotifySave], in_library: bool | None) -> list[Place]:
    """The library first, whether or not it was asked for; what Spotify says of it counts."""
    places = [_place(save) for save in saves]
    is_asked = bool(saves) and saves[0].playlist is None
    if is_asked and (places[0].status != "saved" or in_library is not False):
        return places
    status = "saved" if in_library else "idle"
    return [Place(services.LIBRARY, LIBRARY_NAME, status), *places[is_asked:]]


def _place(save: SpotifySave) -> Place:
    name, status = f"“{save.playlist.name}”" if save.playlist else LIBRARY_NAME, _status(save)
    error, needs = save.error, save.needs_permission
    wait = in_words(save.due_at - timezone.now()) if status == "waiting" else ""
    return Place(save.to, name, status, save.wanted, error, needs, wait)


def _state(spotify_id: str, places: list[Place], poll_seconds: int) -> str:
    """The state that the page shows; a poll sends it back and gets 204 while it's unchanged."""
    shown = [f"{place.to}:{place.status}:{place.wanted:d}:{place.wait}" for place in places]
    return ",".join([spotify_id, f"{poll_seconds}", *shown])


def shows(state: str, spotify_id: str | None) -> bool:
    """Whether a page in this state shows this track."""
    return state.partition(",")[0] == spotify_id


def _status(save: SpotifySave) -> str:
    if save.state == SpotifySave.State.QUEUED:
        return "waiting" if save.due_at > timezone.now() + SOON else "working"
    return "saved" if save.state == SpotifySave.State.DONE else "failed"


def _poll_seconds(saves: list[SpotifySave]) -> int:
    """How soon the page asks again; 0 for not at all."""
    waits = [save.due_at for save in saves if save.state == SpotifySave.State.QUEUED]
    if not waits:
        return 0
    now = timezone.now()
    return POLL_SECONDS if min(waits) <= now + timedelta(seconds=5) else SLOW_POLL_SECONDS
