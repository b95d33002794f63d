"""Serves the photos and videos of review items, as long as their owners agree."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.web.access import PageRequest
from stories.models import Photo, Video
from stories.pages.media import file_response, video_response
from stories.review.access import reviewers_only
from stories.review.selectors import visible_photos

# For the next photo to be fetched ahead; short, because its owner may change their mind.
KEPT_SECONDS = 300


@require_safe
@reviewers_only
def photo(_request: PageRequest, item_id: UUID) -> HttpResponseBase:
    found = visible_photos().filter(story__review_items=item_id).first()
    return _answer(found, "file")


@require_safe
@reviewers_only
def thumbnail(_request: PageRequest, item_id: UUID) -> HttpResponseBase:
    found = visible_photos().filter(story__review_items=item_id).first()
    return _answer(found, "thumbnail")


@require_safe
@reviewers_only
def video(request: PageRequest, item_id: UUID) -> HttpResponseBase:
    photos = visible_photos().filter(story__review_items=item_id)
    found = Video.objects.filter(story__in=photos.values("story")).first()
    if found is None:
        raise Http404
    return video_response(request, found, kept_seconds=KEPT_SECONDS)


def _answer(found: Photo | None, size: str) -> HttpResponseBase:
    if found is None:
        raise Http404
    return file_response(getattr(found, size), "image/jpeg", "photo.jpg", kept_seconds=KEPT_SECONDS)
