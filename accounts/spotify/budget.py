"""How many calls Storify makes to Spotify, per person and in all, so that sign-in always works.

Spotify publishes neither the size of its rolling window of 30 seconds nor that of its daily quota,
and a quota that is spent can be closed for many hours, sign-in included. So a part of both is kept
in reserve, which only sign-in may use. The counters are in the cache, for all processes.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core.cache import cache

from accounts.spotify.errors import BudgetSpent

APP = "app"


@dataclass(frozen=True)
class Window:
    """A rolling window, counted in slots."""

    name: str
    slot_seconds: int
    n_slots: int

    def slots(self, now: float) -> list[int]:
        """The slots that lie in the window at least in part, oldest first."""
        current = int(now // self.slot_seconds)
        return [*range(current - self.n_slots, current + 1)]

    def leaves_at(self, slot: int) -> float:
        return float((slot + self.n_slots + 1) * self.slot_seconds)


SHORT = Window("30s", 5, 6)
DAY = Window("day", 3600, 24)


@dataclass(frozen=True)
class Counter:
    """The calls of one person, or of the whole app, in one window."""

    owner: str
    window: Window
    limit: int

    def key(self, slot: int) -> str:
        return f"accounts:spotify:calls:{self.owner}:{self.window.name}:{slot}"

    def count(self, now: float, by: int) -> None:
        key = self.key(self.window.slots(now)[-1])
        cache.add(key, 0, timeout=self.window.slot_seconds * (self.window.n_slots + 2))
        cache.incr(key, by)

    def full_until(self, now: float) -> float | None:
        """When there is room again if there are more calls than allowed; else None."""
        slots = self.window.slots(now)
        counts = cache.get_many([self.key(slot) for slot in slots])
        left = sum(counts.values())
        if left <= self.limit:
            return None
        for slot in slots:
            left -= counts.get(self.key(slot), 0)
            if left < self.limit:
                return self.window.leaves_at(slot)
        return self.window.leaves_at(slots[-1])


def spend(account_pk: int | None, *, sign_in: bool = False) -> None:
    """Count one call of a connected account, or of somebody who signs in.

    Raises BudgetSpent, and counts nothing, if that would be one too many.
    """
    now = time.time()
    counters = [*_counters(account_pk, reserve=0.0 if sign_in else settings.SPOTIFY_RESERVE)]
    # Counted first, then compared: of two processes at the limit, at most one gets through.
    for counter in counters:
        counter.count(now, 1)
    if until := max((counter.full_until(now) or 0.0 for counter in counters), default=0.0):
        for counter in counters:
            counter.count(now, -1)
        raise BudgetSpent(datetime.fromtimestamp(until, UTC))


def _counters(account_pk: int | None, reserve: float) -> Iterator[Counter]:
    for window, limit in (
        (SHORT, settings.SPOTIFY_CALLS_PER_HALF_MINUTE),
        (DAY, settings.SPOTIFY_CALLS_PER_DAY),
    ):
        yield Counter(APP, window, int(limit * (1.0 - reserve)))
    if account_pk is not None:
        yield Counter(str(account_pk), SHORT, settings.SPOTIFY_PERSON_CALLS_PER_HALF_MINUTE)
        yield Counter(str(account_pk), DAY, settings.SPOTIFY_PERSON_CALLS_PER_DAY)
