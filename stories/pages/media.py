"""Serve photos and videos to their owner and to staff with the permission; private caching."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.core.files import File
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.api.authentication import ApiTokenAuthentication
from accounts.models import User
from accounts.web.access import PageRequest, signed_in
from accounts.web.byte_ranges import RangeNotSatisfiableError, requested_range
from stories.models import Photo, Video
from stories.pages.access import may_open_all

PART_BYTES = 2 * 1024 * 1024

Medium = TypeVar("Medium", Photo, Video)


def token_counts(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Accept API tokens, so that API clients can fetch the URLs they got."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            authenticated = ApiTokenAuthentication().authenticate(Request(request))
        except AuthenticationFailed as error:
            return HttpResponse(
                error.detail,
                status=401,
                headers={"WWW-Authenticate": ApiTokenAuthentication.keyword},
            )
        if authenticated is not None:
            request.user = authenticated[0]
        return view(request, *args, **kwargs)

    return checked


@require_safe
@token_counts
@signed_in
def photo(request: PageRequest, story_id: UUID) -> HttpResponseBase:
    return file_response(_visible(request.user, story_id, Photo).file, "image/jpeg", "photo.jpg")


@require_safe
@token_counts
@signed_in
def thumbnail(request: PageRequest, story_id: UUID) -> HttpResponseBase:
    return file_response(
        _visible(request.user, story_id, Photo).thumbnail, "image/jpeg", "photo.jpg"
    )


@require_safe
@token_counts
@signed_in
def video(request: PageRequest, story_id: UUID) -> HttpResponseBase:
    """Serve the whole video, or the byte range that a player asks for."""
    return video_response(request, _visible(request.user, story_id, Video))


def video_response(
    request: HttpRequest, video: Video, *, kept_seconds: int = 3600
) -> HttpResponseBase:
    """Answer with a video, or with the part of it that the request's range names."""
    if not video.file:  # what was uploaded is served to nobody
        raise Http404
    content_type, size = f"video/{video.kind}", video.file.size
    try:
        part = requested_range(request.headers.get("Range", ""), size)
    except RangeNotSatisfiableError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if part is None:
        name = f"video.{video.kind}"
        return file_response(video.file, content_type, name, kept_seconds=kept_seconds)
    with _opened(video.file) as file:
        file.seek(part.start)
        # A server may answer with less than was asked for; players then ask for the next part.
        content = file.read(min(len(part), PART_BYTES))
    response = HttpResponse(content, status=206, content_type=content_type)
    response["Content-Range"] = f"bytes {part.start}-{part.start + len(content) - 1}/{size}"
    return _private(response, kept_seconds)


def _visible(user: User, story_id: UUID, model: type[Medium]) -> Medium:
    stored = model._default_manager.filter(pk=story_id)
    medium = stored.filter(story__user=user).first()
    if medium is None and may_open_all(user, model):
        medium = stored.first()
    if medium is None:
        raise Http404
    return medium


def file_response(
    file: FieldFile, content_type: str, name: str, *, kept_seconds: int = 3600
) -> HttpResponseBase:
    """Answer with a stored file that only the browser may cache."""
    response = FileResponse(_opened(file), content_type=content_type, filename=name)
    response["Accept-Ranges"] = "bytes" if content_type.startswith("video/") else "none"
    return _private(response, kept_seconds)


def _opened(file: FieldFile) -> File[bytes]:
    try:
        return file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error


def _private(response: HttpResponseBase, kept_seconds: int = 3600) -> HttpResponseBase:
    response["Cache-Control"] = f"private, max-age={kept_seconds}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
