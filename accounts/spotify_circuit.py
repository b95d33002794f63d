"""The circuit that keeps Storify quiet for as long as Spotify asked it to be.

Spotify counts calls per application, so one 429 closes the way for everybody. The closing time
lives in the cache, where all processes see it; nobody ever sleeps until it.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from django.core.cache import cache
from django.utils import timezone

from accounts.spotify_errors import RateLimited

KEY = "accounts:spotify:closed"
DEFAULT_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(days=7)


def check() -> None:
    """Raise RateLimited while the circuit is open."""
    closed = cache.get(KEY)
    if closed is None:
        return
    until = datetime.fromtimestamp(closed["until"], UTC)
    if until > timezone.now():
        raise RateLimited(until, closed["reason"])


def trip(response: httpx.Response) -> RateLimited:
    """Open the circuit as a 429 asks for and return the error to raise."""
    pause = _pause(response.headers.get("Retry-After", ""))
    until = timezone.now() + pause
    reason = _reason(response)
    cache.set(KEY, {"until": until.timestamp(), "reason": reason}, timeout=pause.total_seconds())
    return RateLimited(until, reason)


def _pause(retry_after: str) -> timedelta:
    """Retry-After as Spotify sends it (seconds) or as HTTP also allows it (a date)."""
    if retry_after.strip().isdigit():
        pause = timedelta(seconds=min(int(retry_after), int(LONGEST_PAUSE.total_seconds())))
    else:
        try:
            pause = parsedate_to_datetime(retry_after) - timezone.now()
        except (ValueError, TypeError):
            pause = DEFAULT_PAUSE
    return min(max(pause, timedelta(seconds=1)), LONGEST_PAUSE)


def _reason(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        return str(error.get("reason", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
