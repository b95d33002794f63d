"""Survey pages: questions for everyone, results for staff and for people who answered."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web.access import PageRequest, signed_in
from stories.survey import results as outcome
from stories.survey import selectors, services
from stories.survey.forms import SurveyForm


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def survey(request: PageRequest) -> HttpResponse:
    answered = selectors.answers_of(request.user)
    form = SurveyForm(request.POST if request.method == "POST" else None, initial=answered)
    if request.method != "POST" or not form.is_valid():
        page = {"form": form, "answered": bool(answered)}
        status = 422 if request.method == "POST" else 200
        return render(request, "stories/survey.html", page, status=status)
    services.save_answers(user=request.user, answers=form.answers())
    messages.success(request, "Thank you. Your answers are saved, and you can change them.")
    return redirect("stories:survey_results" if form.answers() else "stories:survey")


@require_safe
@signed_in
def results(request: PageRequest) -> HttpResponse:
    if not (request.user.is_staff or selectors.answers_of(request.user)):
        messages.info(request, "Answer first to see the results.")
        return redirect("stories:survey")
    page = {"results": outcome.results(), "people": selectors.people()}
    return render(request, "stories/survey_results.html", page)
