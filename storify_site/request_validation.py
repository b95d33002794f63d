"""Middleware that rejects malformed requests before anything reads them.

Python accepts text, lengths and encodings that PostgreSQL, the parsers and the views don't. Checks
that concern only one part of the site belong there.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string

from accounts.web.problem_details import is_api, problem_response

MAX_TARGET = 8 * 1024
"""Characters, path and query together."""
ENCODINGS = {"utf-8", "utf8", "us-ascii"}
NUL = "\x00"
_NO_NUL = (400, "Text can't contain a NUL character.")

Refusal = tuple[int, str]


class RequestValidationMiddleware:
    """Answers 4xx to a request that no view could serve."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = (
            _refusal_of_body(request) or _refusal_of_text(request) or _refusal_of_form(request)
        )
        return _refused(request, *refusal) if refusal else self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        refusal = _refusal_of_selection(request, view)
        return _refused(request, *refusal) if refusal else None


def _refusal_of_body(request: HttpRequest) -> Refusal | None:
    """Check the headers that describe the body, which hasn't been read yet."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit() and len(length) < 16):
        return 400, "Content-Length isn't a number of bytes."
    with_files = request.content_type == "multipart/form-data"
    if not with_files and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return 413, "The request is too large."
    if (request.content_params or {}).get("charset", "utf-8").lower() not in ENCODINGS:
        return 415, "Text must be UTF-8."
    return None


def _refusal_of_text(request: HttpRequest) -> Refusal | None:
    if len(request.path_info) + len(request.META.get("QUERY_STRING", "")) > MAX_TARGET:
        return 414, "The address is too long."
    parameters = (text for name, values in request.GET.lists() for text in (name, *values))
    if any(NUL in text for text in (request.path_info, *parameters, *request.COOKIES.values())):
        return _NO_NUL
    return None


def _refusal_of_form(request: HttpRequest) -> Refusal | None:
    """Read and check a page's form; the API's parsers check their own input.

    Django answers 400 if reading fails, but not if its 404 page is the first to read the form.
    """
    if is_api(request):
        return None
    try:
        has_nul = any(NUL in value for _, values in request.POST.lists() for value in values)
    except UnreadablePostError:
        return 400, "The request ended too early."
    return _NO_NUL if has_nul else None


def _refusal_of_selection(request: HttpRequest, view: Any) -> Refusal | None:
    """Check the primary keys of an admin action, which Django doesn't validate."""
    if not isinstance(site_admin := getattr(view, "model_admin", None), ModelAdmin):
        return None
    try:
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            site_admin.opts.pk.to_python(key)
    except ValidationError:
        return 400, "There's no such row."
    return None


def _refused(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    if is_api(request):
        return problem_response(status, detail)
    # Without the request there are no context processors, which would read what was refused.
    return HttpResponse(render_to_string("400.html"), status=status)
