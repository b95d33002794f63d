"""Serve the audio of demo tracks."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from accounts.web.byte_ranges import RangeNotSatisfiableError, requested_range
from recommender import selectors
from recommender.catalogue import audio as demo_audio

CONTENT_TYPE = "audio/wav"


@require_safe
def audio(request: HttpRequest, track_id: UUID) -> HttpResponse:
    """A demo track as a WAV file, whole or in part."""
    track = selectors.get_demo_track(track_id)
    if track is None or track.recipe is None:
        raise Http404("There's no such track.")
    etag = demo_audio.etag(track.recipe)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        response = _bytes_of(demo_audio.wav(track.recipe), request, etag)
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    patch_cache_control(response, public=True, max_age=24 * 3600)
    return response


def _bytes_of(content: bytes, request: HttpRequest, etag: str) -> HttpResponse:
    """The whole file (200), the requested range (206), or an unsatisfiable range (416)."""
    header = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        header = ""
    try:
        part = requested_range(header, len(content))
    except RangeNotSatisfiableError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    if part is None:
        return HttpResponse(content, content_type=CONTENT_TYPE)
    response = HttpResponse(content[part.start : part.stop], status=206, content_type=CONTENT_TYPE)
    response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return response
