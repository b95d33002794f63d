"""What the server itself answers: that it is busy, and nothing to HEAD but the head."""

import json
import random
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.template.loader import render_to_string

from accounts.web.problem_details import MEDIA_TYPE

DETAIL = "Storify is very busy. Please try again in a few seconds."


def admitted_only(application: WSGIApplication) -> WSGIApplication:
    """The application without the requests that have waited too long."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        serve = refuse if environ.get("storify.refused") else application
        body: Any = serve(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body  # type: ignore[no-any-return]
        # Waitress would send a body that the application leaves to its server to withhold.
        if hasattr(body, "close"):
            body.close()
        return []

    return answer


def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """503: a problem for the API, a page for people; no thread waits for anything here."""
    # Not everybody at the same moment.
    wait = random.randint(2, 6)
    is_api = environ["PATH_INFO"].startswith("/api/")
    body = _problem(wait) if is_api else _page()
    headers = [
        ("Content-Type", MEDIA_TYPE if is_api else "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Retry-After", str(wait)),
        ("Cache-Control", "no-store"),
    ]
    status = HTTPStatus.SERVICE_UNAVAILABLE
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


def _problem(wait: int) -> bytes:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value}
    return json.dumps({**problem, "detail": DETAIL, "code": "busy", "retry_after": wait}).encode()


@cache
def _page() -> bytes:
    return render_to_string("503_busy.html").encode()
