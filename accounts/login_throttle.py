"""Limits on guessing passwords and on asking for mail.

A try takes its place in every count before anything is done, so that tries sent all at once get no
further than tries sent one after the other. A right password gives its places back. The counts live
in the cache; while that is away nobody's password is looked at (the site answers 503).
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TypeVar, cast

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_SECONDS = 15 * 60
LIMIT_BOTH = 8
LIMIT_NETWORK = 100
LIMIT_ADDRESS = 60

MAIL_WINDOW_SECONDS = 60 * 60
LIMIT_MAILS_TO_ADDRESS = 5
LIMIT_MAILS_FROM_NETWORK = 50

Found = TypeVar("Found")


class TooMany(ValidationError):
    """The limit is reached; it is lifted within the window. A form shows this by itself."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="too_many")


class TooManyAttempts(TooMany):
    """Wrong passwords came too often; the limit is lifted within WINDOW_SECONDS."""

    def __init__(self) -> None:
        super().__init__(
            "Too many wrong passwords. Please wait a quarter of an hour, or reset your password."
        )


class TooManyMails(TooMany):
    def __init__(self) -> None:
        super().__init__("Too many mails were asked for. Please wait an hour, then try again.")


@dataclass(frozen=True)
class Counter:
    """Places in a window of time, which begins with the first that is taken."""

    key: str
    limit: int
    seconds: int = WINDOW_SECONDS

    def take(self) -> bool:
        """Take a place; False where none is left."""
        cache.add(self.key, 0, self.seconds)
        try:
            taken = cache.incr(self.key)
        except ValueError:  # the window ended between the two
            return self.take()
        if taken == 1:  # or it ended within incr, whose new counter then has no end
            cache.touch(self.key, self.seconds)
        if taken > self.limit:
            self.give_back()
        return taken <= self.limit

    def give_back(self) -> None:
        with suppress(ValueError):  # the window has ended meanwhile
            cache.decr(self.key)

    def clear(self) -> None:
        cache.delete(self.key)


def guess(counters: Sequence[Counter], check: Callable[[], Found]) -> Found:
    """What `check` finds. Raises TooManyAttempts without calling it where a counter is full.

    Something found gives the places back and forgets the failures in the first counter.
    """
    _take(counters, TooManyAttempts())
    found = check()
    if found:
        counters[0].clear()
        for counter in counters[1:]:
            counter.give_back()
    return found


def sign_in_counters(email: str, request: HttpRequest | None) -> list[Counter]:
    """Strict per address and network, so that a stranger can hardly lock somebody out; looser per
    network and per address, against guessing on a broad front."""
    network = _network(request)
    return [
        Counter(_key("both", email, network), LIMIT_BOTH),
        Counter(_key("network", network), LIMIT_NETWORK),
        Counter(_key("address", email), LIMIT_ADDRESS),
    ]


def confirmation_counters(user_pk: int | None) -> list[Counter]:
    """For somebody who has signed in and is asked for the password again."""
    return [Counter(_key("confirmation", str(user_pk)), LIMIT_BOTH)]


def count_mail(email: str, request: HttpRequest) -> None:
    """Count a mail that a stranger asks to be sent; raises TooManyMails instead of sending."""
    to, source = _key("mail to", email), _key("mail from", _network(request))
    counters = [
        Counter(to, LIMIT_MAILS_TO_ADDRESS, MAIL_WINDOW_SECONDS),
        Counter(source, LIMIT_MAILS_FROM_NETWORK, MAIL_WINDOW_SECONDS),
    ]
    _take(counters, TooManyMails())


def _take(counters: Sequence[Counter], refusal: TooMany) -> None:
    """Take a place in all or in none: a full counter must not fill up the others."""
    for number, counter in enumerate(counters):
        if not counter.take():
            for taken in counters[:number]:
                taken.give_back()
            raise refusal


def _network(request: HttpRequest | None) -> str:
    """Where the request comes from, seen past our own proxies only: the throttles' own notion.

    One customer gets a whole /64 of IPv6, so that is what counts as one.
    """
    if request is None:
        return ""
    address = BaseThrottle().get_ident(cast(Request, request)) or ""
    with suppress(ValueError):
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
            return parsed.packed[:8].hex()
    return address


def _key(*parts: str) -> str:
    """Hashed, so that addresses of people are not lying about in the cache."""
    return "accounts:attempts:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()
