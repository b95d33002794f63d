"""The sound of demo tracks, and what staff may look at."""

from __future__ import annotations

from uuid import UUID

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from accounts.web.access import PageRequest, staff_only
from accounts.web.byte_ranges import RangeNotSatisfiableError, requested_range
from recommender import selectors
from recommender.catalogue import audio as sound
from recommender.selectors import EnergyOfLevel
from recommender.staff import intensity_plots

TYPE = "audio/wav"
# Counting ten million tracks takes seconds, and they change by the day.
COUNTED_FOR_SECONDS = 600


@require_safe
def audio(request: HttpRequest, track_id: UUID) -> HttpResponse:
    """A demo tune as a WAV file, whole or the part that a player seeks."""
    track = selectors.get_demo_track(track_id)
    if track is None or track.recipe is None:
        raise Http404("There is no such tune.")
    etag = sound.etag(track.recipe)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        response = _bytes_of(sound.wav(track.recipe), request, etag)
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    patch_cache_control(response, public=True, max_age=24 * 3600)
    return response


def _bytes_of(content: bytes, request: HttpRequest, etag: str) -> HttpResponse:
    """All of it (200), the range asked for (206), or that there is no such range (416)."""
    wanted = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        wanted = ""
    try:
        part = requested_range(wanted, len(content))
    except RangeNotSatisfiableError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    if part is None:
        return HttpResponse(content, content_type=TYPE)
    response = HttpResponse(content[part.start : part.stop], status=206, content_type=TYPE)
    response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return response


@require_safe
@staff_only
def intensity(request: PageRequest) -> HttpResponse:
    """How the energy of low, medium and high intensity is spread, for staff."""
    model = selectors.intensity_model()
    if model is None:
        return render(request, "recommender/intensity.html", {"fit": None})
    key = f"recommender:energy-by-intensity:{model.pk}"
    classes: list[EnergyOfLevel] | None = cache.get(key)
    if classes is None:
        classes = selectors.energy_by_intensity()
        cache.set(key, classes, COUNTED_FOR_SECONDS)
    page = {
        "fit": model.fit,
        "fitted_at": model.fitted_at,
        "explained": f"{model.fit.explained:.0%}",
        "plots": intensity_plots.plots(classes),
        "features": intensity_plots.features(model.fit),
    }
    return render(request, "recommender/intensity.html", page)
