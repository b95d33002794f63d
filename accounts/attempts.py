"""Sign-in with a limit on wrong guesses, shared by the page and the API.

Only failures count. They are counted per address and network, so that a stranger can hardly lock
somebody out, and more loosely per network and per address, against guessing on a broad front.
"""

import hashlib
from dataclasses import dataclass
from typing import cast

from django.contrib.auth import authenticate
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import User, UserManager

WINDOW_SECONDS = 15 * 60
LIMIT_BOTH = 8
LIMIT_NETWORK = 100
LIMIT_ADDRESS = 60


class TooManyAttempts(Exception):
    """Wrong passwords came too often; the limit is lifted within WINDOW_SECONDS."""


@dataclass(frozen=True)
class _Counter:
    key: str
    limit: int

    def is_full(self) -> bool:
        return int(cache.get(self.key, 0)) >= self.limit

    def count(self) -> None:
        try:
            cache.incr(self.key)
        except ValueError:  # not there yet, or just run out
            cache.add(self.key, 1, WINDOW_SECONDS)


def sign_in(request: HttpRequest, *, email: str, password: str) -> User | None:
    """The person these belong to, or None; raises TooManyAttempts without looking at all."""
    email = UserManager.normalize_email(email)
    counters = _counters(email, _network(request))
    if any(counter.is_full() for counter in counters):
        raise TooManyAttempts
    user = authenticate(request, username=email, password=password)
    if isinstance(user, User):
        cache.delete(counters[0].key)
        return user
    for counter in counters:
        counter.count()
    return None


def _network(request: HttpRequest) -> str:
    """Where the request comes from, seen past our own proxies only: the throttles' own notion."""
    return BaseThrottle().get_ident(cast(Request, request)) or ""


def _counters(email: str, network: str) -> list[_Counter]:
    return [
        _Counter(_key("both", email, network), LIMIT_BOTH),
        _Counter(_key("network", network), LIMIT_NETWORK),
        _Counter(_key("address", email), LIMIT_ADDRESS),
    ]


def _key(*parts: str) -> str:
    """Hashed, so that addresses of people are not lying about in the cache."""
    return "accounts:attempts:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()
