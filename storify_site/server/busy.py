"""WSGI wrapper: 503 for refused requests, and no body for HEAD."""

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
    """Wrap the application to refuse requests that have waited too long."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        serve = refuse if environ.get("storify.refused") else application
        body: Any = serve(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body  # type: ignore[no-any-return]
        # WSGI leaves it to the server to drop the body of HEAD; waitress would send it.
        if hasattr(body, "close"):
            body.close()
        return []

    return answer


def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """503: problem details for the API, a page otherwise, without waiting for anything."""
    # Random, so that clients don't all come back at once.
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
