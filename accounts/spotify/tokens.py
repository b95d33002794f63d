"""Access tokens: handed out while they are fresh, renewed by one flight at a time."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from django.db import transaction
from django.utils import timezone

from accounts.models import SpotifyAccount
from accounts.spotify import app, circuit_breaker
from accounts.spotify.errors import NeedsSignIn, SpotifyError, SpotifyUnavailable

# A token this close to its end may be dead when it arrives.
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Grant:
    """What the token endpoint gives. Its repr is safe to log."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    scopes: str | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Grant":
        return cls(
            access_token=str(data["access_token"]),
            refresh_token=data.get("refresh_token") or None,
            expires_in=int(data.get("expires_in", 3600)),
            scopes=data.get("scope"),
        )


def access_token(account_pk: int, *, client: httpx.Client, rejected: str | None = None) -> str:
    """Return a usable access token, renewing it if it has run out or equals `rejected`.

    The row stays locked while Spotify is asked, so that a second caller waits here and then finds
    the new token. Durable: a renewed refresh token must not be rolled back with somebody else's
    transaction, because Spotify may already have forgotten the old one.
    """
    with transaction.atomic(durable=True):
        account = SpotifyAccount.objects.select_for_update().filter(pk=account_pk).first()
        if account is None or account.needs_sign_in:
            raise NeedsSignIn
        if not _is_usable(account, rejected):
            _renew(account, client)
    # Raised out here, so that the mark made by _renew is kept.
    if account.needs_sign_in:
        raise NeedsSignIn
    return str(account.access_token)


def mark_needs_sign_in(account_pk: int) -> None:
    SpotifyAccount.objects.filter(pk=account_pk).update(needs_sign_in=True)


def _is_usable(account: SpotifyAccount, rejected: str | None) -> bool:
    if not account.access_token or account.access_token == rejected:
        return False
    return account.expires_at > timezone.now() + MARGIN


def _renew(account: SpotifyAccount, client: httpx.Client) -> None:
    """Store a renewed token, or mark the account where only its owner can renew it."""
    grant = _request_renewal(account.refresh_token, client) if account.refresh_token else None
    if grant is None:
        account.needs_sign_in = True
    else:
        account.access_token = grant.access_token
        account.refresh_token = grant.refresh_token or account.refresh_token
        account.expires_at = timezone.now() + timedelta(seconds=grant.expires_in)
        account.scopes = grant.scopes or account.scopes
    account.save()


def _request_renewal(refresh_token: str, client: httpx.Client) -> Grant | None:
    """Ask the token endpoint; None is its `invalid_grant`."""
    circuit_breaker.check()
    try:
        response = client.post(
            app.token_url(),
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            auth=app.credentials(),
        )
    except httpx.HTTPError as error:
        raise SpotifyUnavailable from error
    if response.status_code == 429:
        raise circuit_breaker.open_after(response)
    if response.status_code >= 500:
        raise SpotifyUnavailable
    return _read_grant(response)


def _read_grant(response: httpx.Response) -> Grant | None:
    try:
        data = response.json()
        if data.get("error") == "invalid_grant":
            return None
        if response.is_success:
            return Grant.from_json(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpotifyUnavailable from error
    raise SpotifyError("Spotify does not accept this site's client id and secret.")
