"""The circuit to Spotify, which counts calls per application: one 429 closes the way for all."""

import httpx

from accounts.spotify.errors import RateLimited
from accounts.web.circuit_breaker import Circuit, retry_after

KEY = "accounts:spotify:closed"
_CIRCUIT = Circuit(KEY)


def check() -> None:
    """Raise RateLimited while the circuit is broken."""
    if broken := _CIRCUIT.broken():
        raise RateLimited(broken.until, broken.reason)


def trip(response: httpx.Response) -> RateLimited:
    """Break the circuit as a 429 asks for and return the error to raise."""
    broken = _CIRCUIT.trip(retry_after(response), _reason(response))
    return RateLimited(broken.until, broken.reason)


def _reason(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        return str(error.get("reason", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
