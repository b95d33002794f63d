"""The sandbox's open.spotify.com: a listener's music, as they see it, and the player."""

from csp.decorators import csp_replace
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from accounts.spotify import circuit_breaker
from accounts.spotify.sandbox import memory
from accounts.spotify.sandbox.accounts_views import SIGNED_IN
from accounts.spotify.sandbox.guard import sandbox_only
from accounts.spotify.sandbox.listeners import LISTENERS, Listener
from accounts.spotify.sandbox.songs import Song, by_id

SHOWN = 100


@require_safe
@never_cache
@sandbox_only
def music(request: HttpRequest) -> HttpResponse:
    """Library and playlists of whoever is signed in at the sandbox."""
    listener = _listener(request)
    uris = memory.library(listener.key) if listener else []
    context = {
        "listener": listener,
        "listeners": LISTENERS.values(),
        "n_saved": len(uris),
        "songs": _songs(uris)[:SHOWN],
        "playlists": memory.playlists(listener.key) if listener else [],
    }
    return render(request, "accounts/sandbox_music.html", context)


@require_safe
@never_cache
@sandbox_only
def playlist(request: HttpRequest, identifier: str) -> HttpResponse:
    found = memory.find_playlist(identifier)
    if found is None:
        raise Http404
    context = {
        "listener": LISTENERS[found.owner],
        "playlist": found,
        "songs": _songs(found.uris)[:SHOWN],
    }
    return render(request, "accounts/sandbox_music.html", context)


@require_safe
@sandbox_only
def track(request: HttpRequest, identifier: str) -> HttpResponse:
    return render(request, "accounts/sandbox_track.html", {"song": _song(identifier)})


@require_safe
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": ["'self'"]})  # type: ignore[arg-type]
@sandbox_only
def player(request: HttpRequest, identifier: str) -> HttpResponse:
    """What stands in for Spotify's embedded player: it plays when somebody presses play."""
    return render(request, "accounts/sandbox_player.html", {"song": _song(identifier)})


@require_POST
@sandbox_only
def reset(request: HttpRequest) -> HttpResponse:
    """Put the listener's music back as it was, and end the pause after a 429."""
    if listener := _listener(request):
        memory.forget_music(listener.key)
    cache.delete(circuit_breaker.KEY)
    messages.success(request, "The sandbox is as it was at the start.")
    query = f"?listener={listener.key}" if listener else ""
    return redirect(reverse("sandbox:music") + query)


def _listener(request: HttpRequest) -> Listener | None:
    """The one that the address names, else the one who signed in here last."""
    named = request.GET.get("listener") or request.POST.get("listener")
    return LISTENERS.get(named or request.COOKIES.get(SIGNED_IN, ""))


def _songs(uris: list[str]) -> list[Song]:
    found = (by_id().get(uri.rpartition(":")[2]) for uri in uris)
    return [song for song in found if song]


def _song(identifier: str) -> Song:
    song = by_id().get(identifier)
    if song is None:
        raise Http404
    return song
