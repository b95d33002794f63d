"""The page of a person's music preferences, filters and learned taste."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from recommender import selectors, services
from recommender.catalogue import demo_tracks
from recommender.pages.forms import FiltersForm, LikesForm


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_safe
@never_cache
@login_required
def taste(request: HttpRequest) -> HttpResponse:
    if services.claim_demo_notice(user=_me(request)):
        messages.info(request, demo_tracks.OUT_OF_USE)
    return _page(request)


@require_POST
@login_required
def likes(request: HttpRequest) -> HttpResponse:
    """Save what a newcomer likes, or that they skipped the question."""
    user = _me(request)
    form = LikesForm(selectors.music_preferences(user), request.POST)
    if not form.is_valid():
        return _page(request, likes=form)
    liked = {} if request.POST.get("skip") else form.cleaned_data
    services.answer_likes(
        user=user,
        genres=liked.get("liked_genres", []),
        languages=liked.get("liked_languages", []),
    )
    if liked:
        messages.success(request, "Thanks! Your next suggestions will take this into account.")
    return redirect(_next(request))


@require_POST
@login_required
def filters(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    form = FiltersForm(selectors.music_preferences(user), request.POST)
    if not form.is_valid():
        return _page(request, filters=form)
    services.set_preferences(user=user, **form.preferences())
    messages.success(request, "Your filters are saved and apply from your next suggestions.")
    return redirect("recommender:taste")


@require_POST
@login_required
def reset_taste(request: HttpRequest) -> HttpResponse:
    services.reset_taste(user=_me(request))
    messages.success(request, "Your taste has been reset. You can undo this below.")
    return redirect("recommender:taste")


@require_POST
@login_required
def undo_reset(request: HttpRequest) -> HttpResponse:
    services.undo_taste_reset(user=_me(request))
    messages.success(request, "The reset has been undone. Storify knows your taste again.")
    return redirect("recommender:taste")


def _page(
    request: HttpRequest, likes: LikesForm | None = None, filters: FiltersForm | None = None
) -> HttpResponse:
    user = _me(request)
    preferences = selectors.music_preferences(user)
    page = {
        "likes": likes or LikesForm(preferences),
        "filters": filters or FiltersForm(preferences),
        "is_new": preferences.asked_at is None,
        "n_learned": selectors.learned_choices(user).count(),
        "reset": selectors.latest_reset(user),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "recommender/taste.html", page, status=422 if likes or filters else 200)


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "recommender:taste"
