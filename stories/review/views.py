"""The pages where staff review tags."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.access import PageRequest
from stories.review.access import reviewers_only
from stories.review.selectors import queues as waiting


@require_safe
@reviewers_only
def queues(request: PageRequest) -> HttpResponse:
    """The queues, with what waits in each."""
    return render(request, "review/queues.html", {"queues": waiting()})
