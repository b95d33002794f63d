"""Who may open a page: people who signed in, and each only their own stories."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from stories import selectors
from stories.models import Photo, Story, Video

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request of somebody who signed in."""

    htmx: HtmxDetails
    user: User


def signed_in(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """To the sign-in page with everybody else; a partial would put that page into a corner."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        page_request = cast(PageRequest, request)
        if request.user.is_authenticated:
            return view(page_request, *args, **kwargs)
        if page_request.htmx:
            page = page_request.htmx.current_url_abs_path or "/"
            return HttpResponseClientRedirect(redirect_to_login(page).url)
        return redirect_to_login(request.get_full_path())

    return checked


def may_open_all(user: User, model: type[Photo | Video]) -> bool:
    """Whether somebody may look at everybody's photos or videos: staff who were given that right,
    `stories.view_photo` and `stories.view_video`, for example by the group "Photo reviewers"."""
    return user.is_staff and user.has_perm(f"stories.view_{model._meta.model_name}")


def own_story(
    view: Callable[[PageRequest, Story], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """The view gets the story; somebody else's does not exist."""

    @signed_in
    @wraps(view)
    def found(request: PageRequest, story_id: UUID) -> Any:
        try:
            story = selectors.get_story(request.user, story_id)
        except Story.DoesNotExist as error:
            raise Http404 from error
        return view(request, story)

    return found
