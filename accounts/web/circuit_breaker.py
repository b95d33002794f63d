"""A circuit keeps Storify quiet towards a service for as long as that service asked it to be.

The time until which it is broken lives in the cache, where all processes see it; nobody ever
sleeps until then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from django.core.cache import cache
from django.utils import timezone

DEFAULT_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(days=7)


@dataclass(frozen=True)
class Break:
    """No calls before `until`; the service's `reason`, where it gave one."""

    until: datetime
    reason: str


class Circuit:
    """The circuit to one service, under a key of its own."""

    def __init__(self, key: str) -> None:
        self.key = key

    def broken(self) -> Break | None:
        """The break that holds now, if one does."""
        stored = cache.get(self.key)
        if stored is None:
            return None
        until = datetime.fromtimestamp(stored["until"], UTC)
        return Break(until, stored["reason"]) if until > timezone.now() else None

    def trip(self, pause: timedelta, reason: str = "") -> Break:
        """Break the circuit for this long from now."""
        until = timezone.now() + pause
        value = {"until": until.timestamp(), "reason": reason}
        cache.set(self.key, value, timeout=pause.total_seconds())
        return Break(until, reason)


def retry_after(response: httpx.Response) -> timedelta:
    """How long a 429 asks to wait: Retry-After in seconds, or as a date, which HTTP also allows."""
    header = response.headers.get("Retry-After", "")
    if header.strip().isdecimal():
        pause = timedelta(seconds=min(int(header), int(LONGEST_PAUSE.total_seconds())))
    else:
        try:
            pause = parsedate_to_datetime(header) - timezone.now()
        except (ValueError, TypeError):
            pause = DEFAULT_PAUSE
    return min(max(pause, timedelta(seconds=1)), LONGEST_PAUSE)
