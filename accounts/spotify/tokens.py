"""Access tokens, refreshed when they expire by one request at a time."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from django.db import transaction
from django.utils import timezone

from accounts.models import SpotifyAccount
from accounts.spotify import app, circuit_breaker, scopes
from accounts.spotify.errors import MissingScope, NeedsSignIn, SpotifyError, SpotifyUnavailable
from accounts.spotify.scopes import Purpose

# A token this close to its expiry may have expired on arrival.
EXPIRY_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Grant:
    """The token endpoint's reply. Its repr is safe to log."""

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


def access_token(
    account_pk: int, *purposes: Purpose, client: httpx.Client, rejected: str | None = None
) -> str:
    """Return a usable access token, refreshed if it has expired or equals `rejected`.

    If there are purposes, at least one of them must be allowed.

    The row stays locked during the request, so that a second caller waits and then finds the new
    token. The transaction is durable: rolling back a new refresh token with a caller's transaction
    could lose it, because Spotify may already have revoked the old one.

    Raises MissingScope, NeedsSignIn if only the owner can renew the permission, RateLimited or
    another SpotifyError.
    """
    with transaction.atomic(durable=True):
        account = SpotifyAccount.objects.select_for_update().filter(pk=account_pk).first()
        if account is None or account.needs_sign_in:
            raise NeedsSignIn
        if purposes and not any(scopes.has(account, purpose) for purpose in purposes):
            raise MissingScope(purposes[0])
        if not _is_usable(account, rejected):
            _refresh(account, client)
    # Raised outside the transaction, so that the flag set by _refresh is kept.
    if account.needs_sign_in:
        raise NeedsSignIn
    return str(account.access_token)


def mark_needs_sign_in(account_pk: int) -> None:
    SpotifyAccount.objects.filter(pk=account_pk).update(needs_sign_in=True)


@transaction.atomic
def forget_scopes(account_pk: int, purposes: Collection[Purpose]) -> None:
    """Spotify says that the token lacks a scope: ask the person again, rather than Spotify.

    What other purposes need stays: they work as before.
    """
    others = scopes.needed_for(one for one in Purpose if one not in purposes)
    doubtful = {*scopes.needed_for(purposes)} - {*others}
    account = SpotifyAccount.objects.select_for_update().filter(pk=account_pk).first()
    if account:
        account.scopes = " ".join(one for one in account.scopes.split() if one not in doubtful)
        account.save(update_fields=["scopes"])


def _is_usable(account: SpotifyAccount, rejected: str | None) -> bool:
    if not account.access_token or account.access_token == rejected:
        return False
    return account.expires_at > timezone.now() + EXPIRY_MARGIN


def _refresh(account: SpotifyAccount, client: httpx.Client) -> None:
    """Store a new token, or flag the account if only its owner can renew the permission."""
    grant = _request_grant(account.refresh_token, client) if account.refresh_token else None
    if grant is None:
        account.needs_sign_in = True
    else:
        account.access_token = grant.access_token
        account.refresh_token = grant.refresh_token or account.refresh_token
        account.expires_at = timezone.now() + timedelta(seconds=grant.expires_in)
        account.scopes = grant.scopes or account.scopes
    account.save()


def _request_grant(refresh_token: str, client: httpx.Client) -> Grant | None:
    """Refresh at the token endpoint; None if it answers `invalid_grant`."""
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
    raise SpotifyError("Spotify doesn't accept this site's client id and secret.")
