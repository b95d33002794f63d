"""Pages about Spotify: connect, allow one thing at a time, take it back, disconnect."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from social_django.views import auth as begin_social_auth

from accounts import selectors, services
from accounts.spotify.scopes import Purpose
from accounts.web.access import PageRequest, signed_in
from accounts.web.redirects import next_page


@dataclass(frozen=True)
class Words:
    """What people read about a purpose."""

    title: str
    short: str
    allowed: str
    withdrawn: str


WORDS = {
    Purpose.LIBRARY: Words(
        "Use my Spotify music",
        "suggests tracks from your own library",
        "Thank you! Storify is reading your Spotify music; suggestions from it follow soon.",
        "Storify no longer reads your Spotify music, and its copy has been deleted.",
    ),
    Purpose.SAVE: Words(
        "Save to Spotify",
        "saves tracks to your library and playlists when you ask it to",
        "Thank you! You can now save tracks to Spotify from your stories.",
        "Storify no longer saves to Spotify. What you saved there stays.",
    ),
}


@never_cache
def connect_spotify(request: HttpRequest) -> HttpResponse:
    """Explain first (GET), then go to Spotify (POST), to sign in or to connect."""
    if elsewhere := _address_that_spotify_accepts(request):
        return redirect(elsewhere)
    if request.method == "POST":
        return _begin(request)
    context = {"next": request.GET.get("next", "")}
    return render(request, "accounts/connect_spotify.html", context)


@never_cache
@signed_in
def allow(request: PageRequest, purpose: str) -> HttpResponse:
    """Say what Storify would do, in our own words (GET), then ask at Spotify (POST)."""
    wanted = _purpose(purpose)
    if elsewhere := _address_that_spotify_accepts(request):
        return redirect(elsewhere)
    if request.method == "POST" and request.POST.get("spotify_purpose") == wanted:
        return _begin(request)
    context = {
        "purpose": wanted,
        "words": WORDS[wanted],
        "next": next_page(request, "accounts:account"),
        "account": selectors.spotify_account(request.user),
    }
    return render(request, "accounts/spotify_allow.html", context)


@require_POST
@signed_in
def withdraw(request: PageRequest, purpose: str) -> HttpResponse:
    wanted = _purpose(purpose)
    services.withdraw_spotify(user=request.user, purpose=wanted)
    messages.success(request, WORDS[wanted].withdrawn)
    return redirect(next_page(request, "accounts:account"))


@signed_in
def disconnect_spotify(request: PageRequest) -> HttpResponse:
    user = request.user
    context = {"has_password": selectors.has_password_sign_in(user)}
    if request.method != "POST" or not context["has_password"]:
        return render(request, "accounts/disconnect_spotify.html", context)
    services.disconnect_spotify(user=user)
    messages.success(request, "Spotify is disconnected, and everything from it has been deleted.")
    return redirect("accounts:account")


def spotify_context(request: PageRequest) -> dict[str, object]:
    """What the account page shows about Spotify."""
    account, allowed = (
        selectors.spotify_account(request.user),
        selectors.spotify_allowed(request.user),
    )
    agreed = set(account.purposes) if account else set()
    return {
        "spotify": account,
        "spotify_purposes": [
            {"key": one, "words": WORDS[one], "allowed": one in allowed, "agreed": one in agreed}
            for one in Purpose
        ],
    }


def _begin(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = begin_social_auth(request, "spotify")
    return response


def _purpose(value: str) -> Purpose:
    if value not in [*Purpose]:
        raise Http404
    return Purpose(value)


def _address_that_spotify_accepts(request: HttpRequest) -> str:
    """This page at 127.0.0.1, to which Spotify redirects back; "" if it's a good one already.

    A session from localhost doesn't exist there.
    """
    if request.is_secure() or request.get_host().split(":")[0] != "localhost":
        return ""
    return str(settings.SITE_URL) + request.get_full_path()
