"""Errors of the API as RFC 9457 problem details."""

from http import HTTPStatus
from typing import Any

import redis
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from kombu.exceptions import OperationalError as BrokerError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

MEDIA_TYPE = "application/problem+json"


class QueueUnavailable(exceptions.APIException):
    """The broker or the cache does not answer; nothing that was sent has been lost."""

    status_code = 503
    default_detail = "Storify cannot take work right now. Please try again in a minute."
    default_code = "queue_unavailable"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's handler with its answer rewritten as problem details."""
    if isinstance(exc, redis.ConnectionError | redis.TimeoutError | BrokerError):
        exc = QueueUnavailable()
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    response.data = _problem(exc, response)
    if request := context.get("request"):  # whatever the view itself renders, and was asked for
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), MEDIA_TYPE
    response.content_type = MEDIA_TYPE
    return response


def _problem(exc: Exception, response: Response) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
    }
    if isinstance(exc, exceptions.ValidationError):
        problem["detail"] = "Some of what was sent cannot be used; see errors."
        problem["errors"] = response.data
    elif isinstance(response.data, dict) and "detail" in response.data:
        problem["detail"] = str(response.data["detail"])
        problem["code"] = getattr(response.data["detail"], "code", "error")
    if "Retry-After" in response:
        problem["retry_after"] = int(response["Retry-After"])
    return problem


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: a problem for the API, a page for people."""
    if is_api(request):
        return problem_response(404, "There is nothing at this address.")
    return defaults.page_not_found(
        request, exception if isinstance(exception, Http404) else Http404()
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a problem for the API, a page for people."""
    if is_api(request):
        return problem_response(400, "This request cannot be read.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: a problem for the API, a page for people."""
    if is_api(request):
        return problem_response(403, "This is not allowed.")
    return defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a problem for the API, a page for people."""
    if is_api(request):
        return problem_response(500, "Something went wrong here. It has been noted.")
    return defaults.server_error(request)


def problem_response(status: int, detail: str) -> JsonResponse:
    """A problem outside REST framework's own views."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
