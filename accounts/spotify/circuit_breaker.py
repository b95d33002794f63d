"""Circuit breaker for Spotify.

Spotify limits requests per application, so one 429 opens the circuit for every account.
"""

import httpx

from accounts.spotify.errors import RateLimited, in_words
from accounts.web.circuit_breaker import CircuitBreaker, retry_after

KEY = "accounts:spotify:open"
_BREAKER = CircuitBreaker(KEY)


def check() -> None:
    """Raise RateLimited while the circuit is open."""
    if state := _BREAKER.open_state():
        raise RateLimited(state.until, state.reason)


def open_after(response: httpx.Response) -> RateLimited:
    """Open the circuit for as long as a 429 asks and return the error to raise."""
    state = _BREAKER.open(retry_after(response), _reason(response))
    return RateLimited(state.until, state.reason)


def wait_in_words(header: str) -> str:
    """How long a Retry-After header asks to wait, in words for people."""
    return in_words(retry_after(httpx.Response(429, headers={"Retry-After": header})))


def _reason(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        return str(error.get("reason", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
