"""Template context of every page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, bool | str]:
    return {"sandbox": settings.SPOTIFY_SANDBOX, "version": settings.VERSION}
