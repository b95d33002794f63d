"""Upload limits per signed-in user, shared by the API and the pages."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.web.throttling import PersonThrottle


class UploadThrottle(PersonThrottle):
    """A stricter limit for uploads, because each one costs a worker's time."""

    scope = "uploads"

    def get_rate(self) -> str:
        return str(settings.STORIES_UPLOAD_RATE)


def too_many_uploads(request: HttpRequest) -> bool:
    """Count an upload through a page; return whether the person is over the limit."""
    return not UploadThrottle().allow_request(cast(Request, request), APIView())
