"""Circuit breaker for calls to outside services; its state is in the cache, for all processes.

While it is open, calls fail at once; nothing sleeps until it closes again.
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
class OpenState:
    """An open circuit: no calls before `until`. `reason` is the service's own, or ""."""

    until: datetime
    reason: str


class CircuitBreaker:
    """The circuit breaker of one service, stored in the cache under `key`."""

    def __init__(self, key: str) -> None:
        self.key = key

    def open_state(self) -> OpenState | None:
        """Until when and why the circuit is open; None while it is closed."""
        stored = cache.get(self.key)
        if stored is None:
            return None
        until = datetime.fromtimestamp(stored["until"], UTC)
        return OpenState(until, stored["reason"]) if until > timezone.now() else None

    def is_open(self) -> bool:
        return self.open_state() is not None

    def open(self, pause: timedelta, reason: str = "") -> OpenState:
        """Open the circuit for `pause` from now, or leave it open where that ends later."""
        until = timezone.now() + pause
        if (state := self.open_state()) and state.until > until:
            return state
        value = {"until": until.timestamp(), "reason": reason}
        cache.set(self.key, value, timeout=pause.total_seconds())
        return OpenState(until, reason)


def retry_after(response: httpx.Response) -> timedelta:
    """How long a 429 asks to wait, from its Retry-After header in seconds or as a date.

    Between one second and LONGEST_PAUSE; DEFAULT_PAUSE without a readable header.
    """
    header = response.headers.get("Retry-After", "")
    if header.strip().isdecimal():
        pause = timedelta(seconds=min(int(header), int(LONGEST_PAUSE.total_seconds())))
    else:
        try:
            pause = parsedate_to_datetime(header) - timezone.now()
        except (ValueError, TypeError):
            pause = DEFAULT_PAUSE
    return min(max(pause, timedelta(seconds=1)), LONGEST_PAUSE)
