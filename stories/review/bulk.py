"""Accept the model's tags of a filtered list at once, after a look and a confirmation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.web.access import PageRequest
from stories.models import ReviewItem
from stories.review import forms, presenters, services
from stories.review.access import reviewers_only
from stories.review.errors import ReviewError
from stories.review.progress import MOST_IN_BULK, bulk_items
from stories.review.selectors import predicted, visible_photos


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def accept(request: PageRequest) -> HttpResponse:
    """List what matches; ask how many are meant; accept them."""
    if request.method != "POST":
        return _list(request)
    items = _chosen(request)
    if not items:
        messages.error(request, "Please choose at least one photo.")
        return redirect(_address(request))
    if "sure" not in request.POST:
        return render(
            request, "review/accept_confirm.html", {"items": items, "back": _address(request)}
        )
    return _accept(request, items)


def _accept(request: PageRequest, items: list[ReviewItem]) -> HttpResponse:
    try:
        done = services.accept_items(reviewer=request.user, items=items)
    except ReviewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _words(done, len(items) - done))
    return redirect(_address(request))


def _words(done: int, left: int) -> str:
    said = f"Accepted the tags of {done} photo{'' if done == 1 else 's'}."
    return f"{said} {left} had been taken, reviewed or deleted meanwhile." if left else said


def _list(request: PageRequest) -> HttpResponse:
    form = forms.BulkForm(request.GET or None)
    page: dict[str, Any] = {"form": form, "most": MOST_IN_BULK}
    if form.is_valid():
        found = bulk_items(request.user, **form.cleaned_data)
        listed = found.select_related("story__analysis")[:MOST_IN_BULK]
        page |= {"cards": [_card(item) for item in listed], "found": found.order_by().count()}
    return render(request, "review/accept.html", page)


def _chosen(request: PageRequest) -> list[ReviewItem]:
    """The items that were ticked, without those whose owners no longer agree."""
    ids = forms.item_ids(request.POST, "item")[:MOST_IN_BULK]
    shown = visible_photos().values("story_id")
    items = ReviewItem.objects.filter(pk__in=ids, story__in=shown)
    return list(items.select_related("story__analysis"))


def _card(item: ReviewItem) -> dict[str, Any]:
    return {"item": item, "tags": presenters.accepted_tags(predicted(item.story.analysis))}


def _address(request: PageRequest) -> str:
    return f"{reverse('review:accept')}?{request.GET.urlencode()}"
