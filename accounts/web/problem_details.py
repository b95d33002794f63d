"""API errors as RFC 9457 problem details."""

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
    """The broker or the cache is down."""

    status_code = 503
    default_detail = "Storify is temporarily unavailable. Please try again in a minute."
    default_code = "queue_unavailable"
    wait = 60  # REST framework's name for what becomes Retry-After


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Render REST framework's error responses as problem details."""
    if isinstance(exc, redis.ConnectionError | redis.TimeoutError | BrokerError):
        exc = QueueUnavailable()
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    response.data = _problem(exc, response)
    if request := context.get("request"):  # whatever the view renders or the client accepts
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
        problem["detail"] = "Some fields are invalid; see errors."
        problem["errors"] = response.data
    elif isinstance(response.data, dict) and "detail" in response.data:
        problem["detail"] = _detail(exc, response)
        problem["code"] = getattr(response.data["detail"], "code", "error")
    if "Retry-After" in response:
        problem["retry_after"] = int(response["Retry-After"])
    return problem


def _detail(exc: Exception, response: Response) -> str:
    if not isinstance(exc, exceptions.Throttled):
        return str(response.data["detail"])
    seconds = response.get("Retry-After")
    return f"You've sent too many requests. Try again {f'in {seconds} s' if seconds else 'later'}."


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: problem details for the API, a page otherwise."""
    if is_api(request):
        return problem_response(404, "Not found.")
    return defaults.page_not_found(
        request, exception if isinstance(exception, Http404) else Http404()
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: problem details for the API, a page otherwise."""
    if is_api(request):
        return problem_response(400, "The request can't be read.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: problem details for the API, a page otherwise."""
    if is_api(request):
        return problem_response(403, "You don't have permission to do this.")
    return defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: problem details for the API, a page otherwise."""
    if is_api(request):
        return problem_response(500, "Something went wrong on our side. It has been logged.")
    return defaults.server_error(request)


def problem_response(status: int, detail: str) -> JsonResponse:
    """Problem details outside REST framework's views."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
