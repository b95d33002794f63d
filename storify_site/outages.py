"""Middleware that answers 503 while the queue, the cache, the database or the disk fails."""

import logging
from collections.abc import Callable

import redis
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError as BrokerError

from accounts.web import problem_details
from stories.errors import NO_SPACE

logger = logging.getLogger(__name__)
OUTAGES = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    BrokerError,
    OperationalError,
    InterfaceError,
)


def is_outage(error: Exception) -> bool:
    """Whether an error is that of a part of the site, which will be there again."""
    no_space = isinstance(error, OSError) and error.errno in NO_SPACE
    return no_space or isinstance(error, OUTAGES)


class OutageMiddleware:
    """Turns such errors into a 503 page, or problem details for the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        if not is_outage(exc):
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
