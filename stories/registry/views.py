"""The page where staff train, compare, promote and take back models."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.web.access import PageRequest, signed_in
from stories.registry import selectors, services
from stories.registry.errors import RegistryError

P = ParamSpec("P")


def promoters_only(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Answer 403 to signed-in people without the permission; redirect everybody else to sign-in."""

    @signed_in
    @wraps(view)
    def checked(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not selectors.may_promote(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked


def _answer(request: PageRequest, do: Callable[[], object], done: str) -> HttpResponse:
    """Do what the button says, say how it went, and show the page again."""
    try:
        do()
    except RegistryError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("registry:models")


@require_safe
@promoters_only
def models(request: PageRequest) -> HttpResponse:
    """Every version with its comparison, and what was done lately; how far trainings are, alone."""
    if request.htmx:
        return render(request, "review/_trainings.html", {"models": list(selectors.trainings())})
    context = {"models": list(selectors.page()), "events": selectors.events()}
    return render(request, "review/models.html", context)


@require_POST
@promoters_only
def train(request: PageRequest, name: str) -> HttpResponse:
    return _answer(
        request,
        lambda: services.queue_training(name=name, actor=request.user),
        "Training is queued. The candidate appears here when it's done.",
    )


@require_POST
@promoters_only
def cancel_training(request: PageRequest, name: str) -> HttpResponse:
    return _answer(
        request,
        lambda: services.cancel_training(name=name, actor=request.user),
        "Cancelled. If the training has begun, it ends within seconds; nothing of it stays.",
    )


@require_POST
@promoters_only
def shadow(request: PageRequest, version_id: UUID) -> HttpResponse:
    return _answer(
        request,
        lambda: services.start_shadow(version_id=version_id, actor=request.user),
        "It runs beside the serving model from now on; nobody sees what it says.",
    )


@require_POST
@promoters_only
def stop_shadow(request: PageRequest, version_id: UUID) -> HttpResponse:
    return _answer(
        request,
        lambda: services.stop_shadow(version_id=version_id, actor=request.user),
        "It no longer runs beside the serving model.",
    )


@require_POST
@promoters_only
def promote(request: PageRequest, version_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    return _answer(
        request,
        lambda: services.promote_model(version_id=version_id, actor=request.user, reason=reason),
        "It's serving. Workers switch to it before their next photo.",
    )


@require_POST
@promoters_only
def take_back(request: PageRequest, version_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    return _answer(
        request,
        lambda: services.take_back(version_id=version_id, actor=request.user, reason=reason),
        "The model before is serving again.",
    )
