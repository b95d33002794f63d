"""Throttles requests per person; lets everything through if the cache is down."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView


class PersonThrottle(UserRateThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError:  # a photo that arrives while the cache is away is worth more
            return True


class UploadThrottle(PersonThrottle):
    """Stricter: every upload costs a worker's time."""

    scope = "uploads"

    def get_rate(self) -> str:
        return str(settings.STORIES_UPLOAD_RATE)


def too_many_uploads(request: HttpRequest) -> bool:
    """The same count for uploads through the pages."""
    return not UploadThrottle().allow_request(cast(Request, request), APIView())
