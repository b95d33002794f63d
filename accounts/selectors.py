"""Queries about users, their Spotify accounts and API tokens."""

import hashlib
import json
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import ApiToken, SpotifyAccount, User
from accounts.spotify import scopes
from accounts.spotify.scopes import Purpose


def spotify_account(user: User) -> SpotifyAccount | None:
    return SpotifyAccount.objects.filter(user=user).first()


def spotify_allowed(user: User) -> set[Purpose]:
    """What the user lets Storify do at Spotify."""
    account = spotify_account(user)
    return {one for one in Purpose if account and scopes.has(account, one)}


def active_api_tokens(user: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=user, revoked_at=None)


def api_token_digest(plain: str) -> str:
    """The SHA-256 of a token; a fast hash is enough for 256 random bits."""
    return hashlib.sha256(plain.encode()).hexdigest()


def find_api_token(plain: str) -> ApiToken | None:
    """The active token issued as `plain`, with its user; None if there is none."""
    return (
        ApiToken.objects.select_related("user")
        .filter(digest=api_token_digest(plain), revoked_at=None, user__is_active=True)
        .first()
    )


def has_password_sign_in(user: User) -> bool:
    """Whether the user can sign in without Spotify."""
    return bool(user.email) and user.has_usable_password()


def account_json(user: User) -> bytes:
    """What this app stores about a user, for their export; without secrets."""
    account = spotify_account(user)
    data: dict[str, Any] = {
        "exported_at": timezone.now().isoformat(),
        "email": user.email,
        "display_name": user.display_name,
        "joined_at": user.date_joined.isoformat(),
        "last_sign_in_at": user.last_login.isoformat() if user.last_login else None,
        "faces_consent": user.faces_consent,
        "faces_consent_at": user.faces_consent_at.isoformat() if user.faces_consent_at else None,
        "improve_consent": user.improve_consent,
        "improve_consent_at": (
            user.improve_consent_at.isoformat() if user.improve_consent_at else None
        ),
        "spotify": _spotify_json(account) if account else None,
        "api_tokens": [_token_json(token) for token in user.api_tokens.all()],
    }
    return json.dumps(data, indent=2, ensure_ascii=False).encode()


def _spotify_json(account: SpotifyAccount) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "id": account.spotify_id,
        "display_name": account.display_name,
        "permissions": account.scopes.split(),
        "allowed": account.purposes,
        "connected_at": account.connected_at.isoformat(),
    }


def _token_json(token: ApiToken) -> dict[str, Any]:
    return {
        "label": token.label,
        "created_at": token.created_at.isoformat(),
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }
