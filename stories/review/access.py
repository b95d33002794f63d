"""Who may open the review pages: staff in the group "Tag reviewers"."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from accounts.web.access import PageRequest, signed_in
from stories.review.selectors import may_review

P = ParamSpec("P")


def reviewers_only(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Answer 403 to signed-in people who may not review; redirect everybody else to sign-in."""

    @signed_in
    @wraps(view)
    def checked(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not may_review(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked
