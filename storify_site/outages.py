"""Middleware that answers 503 while the queue, the cache or the database is down."""

import logging
from collections.abc import Callable

import redis
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError as BrokerError

from accounts.web import problem_details

logger = logging.getLogger(__name__)
OUTAGES = (
    redis.ConnectionError,
    redis.TimeoutError,
    BrokerError,
    OperationalError,
    InterfaceError,
)


class OutageMiddleware:
    """Turns connection errors into a 503 page, or problem details for the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        if not isinstance(exc, OUTAGES):
            return None
        logger.error("A part of the site is down: %s", type(exc).__name__)
        response: HttpResponse
        if request.path.startswith("/api/"):
            response = problem_details.problem_response(
                503, str(problem_details.QueueUnavailable.default_detail)
            )
        else:
            # Without the request there are no context processors, which would need what is down.
            response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = "60"
        return response
