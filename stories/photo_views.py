"""The photos themselves: for the owner and for staff, kept by no cache but the owner's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.api import ApiTokenAuthentication
from accounts.models import User
from stories.access import PageRequest, signed_in
from stories.models import Photo


def token_counts(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Programs that got a photo's address from the API fetch it with the token they have."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            found = ApiTokenAuthentication().authenticate(Request(request))
        except AuthenticationFailed as error:
            return HttpResponse(
                error.detail,
                status=401,
                headers={"WWW-Authenticate": ApiTokenAuthentication.keyword},
            )
        if found is not None:
            request.user = found[0]
        return view(request, *args, **kwargs)

    return checked


@require_safe
@token_counts
@signed_in
def photo(request: PageRequest, story_id: UUID) -> FileResponse:
    return _answer(_visible(request.user, story_id).file)


@require_safe
@token_counts
@signed_in
def thumbnail(request: PageRequest, story_id: UUID) -> FileResponse:
    return _answer(_visible(request.user, story_id).thumbnail)


def _visible(user: User, story_id: UUID) -> Photo:
    photos = Photo.objects.filter(pk=story_id)
    found = photos.first() if user.is_staff else photos.filter(story__user=user).first()
    if found is None:
        raise Http404
    return found


def _answer(file: FieldFile) -> FileResponse:
    try:
        opened = file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(opened, content_type="image/jpeg", filename="photo.jpg")
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response
