"""Errors of the Spotify client, with messages that can be shown to people."""

import math
from datetime import datetime, timedelta

from django.utils import timezone


class SpotifyError(Exception):
    """Base of all Spotify errors."""

    def __init__(self, message: str = "Spotify couldn't do that.") -> None:
        super().__init__(message)


class SpotifyUnavailable(SpotifyError):
    """No answer or an unreadable one; trying again later may help."""

    def __init__(self, message: str = "Spotify can't be reached right now.") -> None:
        super().__init__(message)


class NotFound(SpotifyError):
    """Spotify has no such item."""

    def __init__(self, message: str = "Spotify doesn't have that item.") -> None:
        super().__init__(message)


class NeedsSignIn(SpotifyError):
    """The permission has expired or was revoked; only the listener can renew it."""

    def __init__(self) -> None:
        super().__init__("Storify's access to Spotify has expired. Please connect it again.")


class NotAllowed(SpotifyError):
    """The endpoint is closed to this application, or a scope is missing."""

    def __init__(self, message: str = "Spotify doesn't allow Storify to do that.") -> None:
        super().__init__(message)


class RateLimited(SpotifyError):
    """Spotify accepts no calls from this application before `until`."""

    def __init__(self, until: datetime, reason: str = "") -> None:
        self.until = until
        self.reason = reason
        wait = _in_words(until - timezone.now())
        super().__init__(f"Spotify is limiting requests; try again in {wait}.")


def _in_words(wait: timedelta) -> str:
    """A duration rounded up: minutes up to an hour, hours up to two days, then days."""
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    if minutes <= 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = math.ceil(minutes / 60)
    return f"{hours} hours" if hours <= 48 else f"{math.ceil(hours / 24)} days"
