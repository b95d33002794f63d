"""The pages where staff review tags, one item after the other.

A request by the page's script gets the next item with what changed around it, any other a redirect.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.web.access import PageRequest
from stories.models import ReviewItem
from stories.review import forms, presenters, services
from stories.review.access import reviewers_only
from stories.review.errors import (
    ItemGoneError,
    NoAnswerError,
    ReviewError,
    UnknownAnswerError,
    UnknownQueueError,
)
from stories.review.progress import held_item, latest_of, progress
from stories.review.selectors import latest_reviews
from stories.review.selectors import queues as waiting

# The ids of what was skipped since the last review, in the browser's session.
SKIPPED, MOST_SKIPPED = "review_skipped", 10
TRY_AGAIN = (NoAnswerError, UnknownAnswerError)


@require_safe
@reviewers_only
def queues(request: PageRequest) -> HttpResponse:
    """The queues, with what waits in each."""
    return render(request, "review/queues.html", {"queues": waiting()})


@require_safe
@reviewers_only
def review(request: PageRequest) -> HttpResponse:
    """The next item of a queue, or one that the reviewer holds."""
    queue = request.GET.get("queue", "")
    held = next(iter(forms.item_ids(request.GET, "item")), None)
    try:
        item = held_item(request.user, held) or services.next_item(
            reviewer=request.user,
            reason=queue or None,
            besides=forms.item_ids(request.GET, "besides"),
        )
    except UnknownQueueError as error:
        messages.error(request, str(error))
        return redirect("review:queues")
    template = "review/_answered.html" if request.htmx else "review/review.html"
    return render(request, template, _page(request, item, queue))


@require_POST
@reviewers_only
def answer(request: PageRequest, item_id: UUID) -> HttpResponse:
    """Save the answers about an item, and go on with the next one."""
    form = forms.ReviewForm(request.POST)
    if not form.is_valid():
        reasons = [str(text) for texts in form.errors.values() for text in texts]
        return _refuse(request, " ".join(reasons), status=422)
    try:
        services.save_review(
            item=_item(item_id),
            reviewer=request.user,
            answers=forms.answers(request.POST),
            **form.cleaned_data,
        )
    except ReviewError as error:
        return _refuse(request, str(error), status=422 if isinstance(error, TRY_AGAIN) else 409)
    request.session.pop(SKIPPED, None)
    return _go_on(request)


@require_POST
@reviewers_only
def skip(request: PageRequest, item_id: UUID) -> HttpResponse:
    """Leave an item to others."""
    try:
        services.skip_item(item=_item(item_id), reviewer=request.user)
    except ReviewError as error:
        return _refuse(request, str(error))
    skipped = [*request.session.get(SKIPPED, []), str(item_id)]
    request.session[SKIPPED] = skipped[-MOST_SKIPPED:]
    return _go_on(request, words="Skipped.")


@require_POST
@reviewers_only
def undo(request: PageRequest) -> HttpResponse:
    """Go back to the last item that was skipped or reviewed."""
    try:
        item = _take_back(request)
    except ReviewError as error:
        return _refuse(request, str(error))
    if request.htmx:
        return _part(request, item, is_back=True)
    held = {"queue": request.POST.get("queue", ""), "item": item.pk}
    return redirect(f"{reverse('review:next')}?{urlencode(held)}")


def _take_back(request: PageRequest) -> ReviewItem:
    skipped = request.session.get(SKIPPED)
    if not skipped:
        return services.undo_review(reviewer=request.user)
    request.session[SKIPPED] = skipped[:-1]
    return services.unskip_item(item=_item(UUID(skipped[-1])), reviewer=request.user)


def _item(item_id: UUID) -> ReviewItem:
    item = ReviewItem.objects.filter(pk=item_id).first()
    if item is None:
        raise ItemGoneError
    return item


def _refuse(request: PageRequest, reason: str, *, status: int = 409) -> HttpResponse:
    """Say why nothing was saved, and offer the next item."""
    messages.error(request, reason)
    return _go_on(request, status=status)


def _go_on(request: PageRequest, *, words: str = "", status: int = 200) -> HttpResponse:
    queue = request.POST.get("queue", "")
    if not request.htmx:
        return redirect(f"{reverse('review:next')}?{urlencode({'queue': queue})}")
    return _part(request, _next(request, queue), words=words, status=status)


def _next(request: PageRequest, queue: str) -> ReviewItem | None:
    besides = forms.item_ids(request.POST, "besides")
    try:
        return services.next_item(reviewer=request.user, reason=queue or None, besides=besides)
    except UnknownQueueError:
        return services.next_item(reviewer=request.user, besides=besides)


def _part(
    request: PageRequest, item: ReviewItem | None, *, status: int = 200, **extra: Any
) -> HttpResponse:
    page = _page(request, item, request.POST.get("queue", "")) | extra
    return render(request, "review/_answered.html", page, status=status)


def _page(request: PageRequest, item: ReviewItem | None, queue: str) -> dict[str, Any]:
    latest = latest_reviews(request.user)
    last = next(iter(latest), None)
    skipped = request.session.get(SKIPPED)
    page: dict[str, Any] = {
        "queue": queue,
        "progress": progress(request.user, queue or None),
        "last": last and presenters.last_review(last),
        "can_undo": bool(skipped or any(not review.blind for review in latest)),
        "last_stays": bool(last and last.blind and not skipped),
    }
    if not request.htmx:
        page["keys"] = presenters.key_map()
    if item is None:
        return page
    earlier = latest_of(request.user, item)
    return page | presenters.item_page(item, earlier if earlier and earlier.undone_at else None)
