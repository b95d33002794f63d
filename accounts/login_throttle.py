"""Limits on failed sign-ins and on requested e-mails.

An attempt is counted before the password is checked, so that parallel attempts can't get past the
limit; a correct password takes its counts back. The counters are in the cache; while it's down,
nobody can sign in (the site answers 503).
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

Result = TypeVar("Result")


class TooMany(ValidationError):
    """The limit is reached. As a ValidationError, it shows as a form error."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="too_many")


class TooManyAttempts(TooMany):
    """Too many wrong passwords within WINDOW_SECONDS."""

    def __init__(self) -> None:
        super().__init__(
            "Too many wrong passwords. Try again in 15 minutes, or reset your password."
        )


class TooManyMails(TooMany):
    """Too many e-mails requested within MAIL_WINDOW_SECONDS."""

    def __init__(self) -> None:
        super().__init__("You've asked for too many e-mails. Try again in an hour.")


@dataclass(frozen=True)
class Counter:
    """A counter with a limit, reset `seconds` after its first use."""

    key: str
    limit: int
    seconds: int = WINDOW_SECONDS

    def take(self) -> bool:
        """Count one; return False, without counting, if the limit is reached."""
        cache.add(self.key, 0, self.seconds)
        try:
            taken = cache.incr(self.key)
        except ValueError:  # expired between the two calls
            return self.take()
        if taken == 1:  # or expired within incr, which then creates a key without a timeout
            cache.touch(self.key, self.seconds)
        if taken > self.limit:
            self.give_back()
        return taken <= self.limit

    def give_back(self) -> None:
        with suppress(ValueError):  # expired in the meantime
            cache.decr(self.key)

    def clear(self) -> None:
        cache.delete(self.key)


def guess(counters: Sequence[Counter], check: Callable[[], Result]) -> Result:
    """Return the result of `check`, counted as one attempt.

    A truthy result takes the counts back and resets the first counter. Raises TooManyAttempts,
    without calling `check`, if any limit is reached.
    """
    _take(counters, TooManyAttempts())
    result = check()
    if result:
        counters[0].clear()
        for counter in counters[1:]:
            counter.give_back()
    return result


def sign_in_counters(email: str, request: HttpRequest | None) -> list[Counter]:
    """Counters of a sign-in, the strictest first.

    The limit per address and network is strict, so that a stranger can hardly lock somebody out;
    those per network and per address are looser, against distributed guessing.
    """
    network = _network(request)
    return [
        Counter(_key("both", email, network), LIMIT_BOTH),
        Counter(_key("network", network), LIMIT_NETWORK),
        Counter(_key("address", email), LIMIT_ADDRESS),
    ]


def forget_attempts(email: str, request: HttpRequest | None) -> None:
    """Let somebody in who has just chosen a new password; the network's count stays."""
    both, _, address = sign_in_counters(email, request)
    both.clear()
    address.clear()


def confirmation_counters(user_pk: int | None) -> list[Counter]:
    """Counters for a signed-in user who confirms their password."""
    return [Counter(_key("confirmation", str(user_pk)), LIMIT_BOTH)]


def count_mail(email: str, request: HttpRequest) -> None:
    """Count an e-mail that an anonymous visitor requests. Raises TooManyMails at the limit."""
    to, source = _key("mail to", email), _key("mail from", _network(request))
    counters = [
        Counter(to, LIMIT_MAILS_TO_ADDRESS, MAIL_WINDOW_SECONDS),
        Counter(source, LIMIT_MAILS_FROM_NETWORK, MAIL_WINDOW_SECONDS),
    ]
    _take(counters, TooManyMails())


def _take(counters: Sequence[Counter], refusal: TooMany) -> None:
    """Count one in every counter or in none; raise `refusal` if any limit is reached."""
    for number, counter in enumerate(counters):
        if not counter.take():
            for taken in counters[:number]:
                taken.give_back()
            raise refusal


def _network(request: HttpRequest | None) -> str:
    """The client's network, as REST framework's throttles see it past trusted proxies.

    An IPv6 address counts as its /64, which providers give to one customer.
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
    """A cache key; hashed, so that no e-mail address is stored in the cache."""
    return "accounts:attempts:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()
