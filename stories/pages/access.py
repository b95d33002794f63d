"""Who may open a story's pages and media."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponseBase

from accounts.models import User
from accounts.web.access import PageRequest, signed_in
from stories import selectors
from stories.models import Photo, Story, Video


def may_open_all(user: User, model: type[Photo | Video]) -> bool:
    """Whether a user may open everybody's photos or videos.

    That takes staff status and the permission `stories.view_photo` or `stories.view_video`, which
    the group "Photo reviewers" grants.
    """
    return user.is_staff and user.has_perm(f"stories.view_{model._meta.model_name}")


def own_story(
    view: Callable[[PageRequest, Story], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Pass the signed-in person's story to the view; answer 404 for anybody else's."""

    @signed_in
    @wraps(view)
    def found(request: PageRequest, story_id: UUID) -> Any:
        try:
            story = selectors.get_story(request.user, story_id)
        except Story.DoesNotExist as error:
            raise Http404 from error
        return view(request, story)

    return found
