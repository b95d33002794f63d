"""The page of figures and its CSV."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.access import PageRequest
from stories.review.access import reviewers_only
from stories.review.figures.cases import LATEST, QUESTIONS
from stories.review.figures.cell import MOST, cell
from stories.review.figures.csv_file import as_csv
from stories.review.figures.report import Report, report


@require_safe
@reviewers_only
def figures(request: PageRequest) -> HttpResponse:
    """The figures about one question; `about` and `version` choose which."""
    found = _report(request)
    # In SVG coordinates: 100 x 100 with the origin at the upper left.
    dots = [(round(100 * b.confidence, 1), round(100 - 100 * b.accuracy, 1)) for b in found.bins]
    shown = {"report": found, "questions": QUESTIONS, "latest": LATEST, "dots": dots}
    curve = " ".join(f"{x},{y}" for x, y in dots)
    return render(request, "review/figures.html", {**shown, "curve": curve})


@require_safe
@reviewers_only
def figures_csv(request: PageRequest) -> HttpResponse:
    """What the page shows, to download; `table` asks for one table only."""
    found, table = _report(request), request.GET.get("table", "")
    try:
        text = as_csv(found, table)
    except KeyError as error:
        raise Http404 from error
    about = "-".join(filter(None, (found.question.name, table)))
    name = f'attachment; filename="figures-{about}.csv"'
    kind = "text/csv; charset=utf-8"
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": name})


@require_safe
@reviewers_only
def figures_photos(request: PageRequest) -> HttpResponse:
    """The photos that a cell of the confusion matrix counts."""
    return render(request, "review/cell.html", {"cell": cell(request.GET), "most": MOST})


def _report(request: PageRequest) -> Report:
    asked = request.GET
    return report(request.user, asked.get("about", ""), asked.get("version", ""))
