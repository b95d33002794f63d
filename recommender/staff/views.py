"""Pages that show staff how the catalogue is modelled."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.access import PageRequest, staff_only
from recommender import selectors
from recommender.models import IntensityModel
from recommender.selectors import EnergyOfLevel
from recommender.staff import intensity_plots

# Counting ten million tracks takes seconds, and the counts change by the day.
COUNTS_CACHE_SECONDS = 600


@require_safe
@staff_only
def intensity(request: PageRequest) -> HttpResponse:
    """How energy is distributed among tracks of low, medium and high intensity."""
    model = selectors.intensity_model()
    if model is None:
        return render(request, "recommender/intensity.html", {"fit": None})
    page = {
        "fit": model.fit,
        "fitted_at": model.fitted_at,
        "explained": f"{model.fit.explained:.0%}",
        "plots": intensity_plots.plots(_energy_by_intensity(model)),
        "features": intensity_plots.features(model.fit),
    }
    return render(request, "recommender/intensity.html", page)


def _energy_by_intensity(model: IntensityModel) -> list[EnergyOfLevel]:
    key = f"recommender:energy-by-intensity:{model.pk}"
    classes: list[EnergyOfLevel] | None = cache.get(key)
    if classes is None:
        classes = selectors.energy_by_intensity()
        cache.set(key, classes, COUNTS_CACHE_SECONDS)
    return classes
