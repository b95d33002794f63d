"""The page of a person's music preferences, filters and learned taste."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.web.access import PageRequest, signed_in
from accounts.web.redirects import next_page
from recommender import selectors, services
from recommender.catalogue import demo_tracks
from recommender.pages.forms import FiltersForm, LikesForm


@require_safe
@never_cache
@signed_in
def taste(request: PageRequest) -> HttpResponse:
    if services.claim_demo_notice(user=request.user):
        messages.info(request, demo_tracks.OUT_OF_USE)
    return _page(request)


@require_POST
@signed_in
def likes(request: PageRequest) -> HttpResponse:
    """Save what a newcomer likes, or that they skipped the question."""
    user = request.user
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
    return redirect(next_page(request, "recommender:taste"))


@require_POST
@signed_in
def filters(request: PageRequest) -> HttpResponse:
    user = request.user
    form = FiltersForm(selectors.music_preferences(user), request.POST)
    if not form.is_valid():
        return _page(request, filters=form)
    services.set_preferences(user=user, **form.preferences())
    messages.success(request, "Your filters are saved and apply from your next suggestions.")
    return redirect("recommender:taste")


@require_POST
@signed_in
def reset_taste(request: PageRequest) -> HttpResponse:
    services.reset_taste(user=request.user)
    messages.success(request, "Your taste has been reset. You can undo this below.")
    return redirect("recommender:taste")


@require_POST
@signed_in
def undo_reset(request: PageRequest) -> HttpResponse:
    services.undo_taste_reset(user=request.user)
    messages.success(request, "The reset has been undone. Storify knows your taste again.")
    return redirect("recommender:taste")


def _page(
    request: PageRequest, likes: LikesForm | None = None, filters: FiltersForm | None = None
) -> HttpResponse:
    user = request.user
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
