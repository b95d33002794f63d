"""Sign-in with Spotify: authorization code with PKCE, real or sandboxed."""

import math
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import requests
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from social_core.backends.base import BaseAuth
from social_core.backends.oauth import BaseOAuth2PKCE
from social_core.exceptions import (
    AuthConfigurationError,
    AuthPolicyError,
    AuthProviderError,
    AuthResponseError,
)
from social_django.models import UserSocialAuth
from social_django.strategy import DjangoStrategy

from accounts import selectors
from accounts.models import User
from accounts.spotify import app, budget, circuit_breaker
from accounts.spotify.errors import BudgetSpent
from accounts.spotify.scopes import Purpose, needed_for


class NotOnAllowList(AuthPolicyError):
    """The person isn't on the allow-list of this application in development mode."""

    default_code = "membership_required"


class OwnerNeedsPremium(AuthPolicyError):
    """The owner of this application in development mode has no Premium."""

    default_code = "membership_required"


def asked_for(backend: BaseAuth[HttpResponse]) -> Purpose | None:
    """What the person allows on the way that began last; None if they only sign in."""
    value = backend.strategy.session_get("spotify_purpose")
    return Purpose(value) if value in [*Purpose] else None


class SpotifyPKCE(BaseOAuth2PKCE[HttpResponse]):
    name = "spotify"
    title = "Spotify"
    ID_KEY = "account_id"
    # The redirect address must be exactly the registered one, so the state is a parameter.
    REDIRECT_STATE = False
    STATE_PARAMETER = True
    USE_BASIC_AUTH = True

    def get_key_and_secret(self) -> tuple[str, str]:
        return app.credentials()

    def get_scope(self) -> list[str]:
        """None to sign in; else for what is asked now, and for what is allowed already.

        A grant replaces the one before, so it has to reach as far.
        """
        purpose = asked_for(self)
        request = cast(DjangoStrategy, self.strategy).request
        user = request.user if request else None
        allowed = selectors.spotify_allowed(user) if isinstance(user, User) else set()
        return needed_for({purpose, *allowed}) if purpose else needed_for(allowed)

    def authorization_url(self) -> str:
        return app.authorize_url()

    def access_token_url(self) -> str:
        return app.token_url()

    def get_redirect_uri(self, state: str | None = None) -> str:
        """The redirect address: HTTPS, or plain HTTP to 127.0.0.1 (never `localhost`).

        Raises AuthConfigurationError for others, because Spotify refuses them.
        """
        uri: str = super().get_redirect_uri(state)
        parts = urlsplit(uri)
        if parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "127.0.0.1"):
            return uri
        raise AuthConfigurationError(
            self, code="invalid_setting", parameter="redirect_uri", stage="begin"
        )

    def get_user_id(self, details: dict[str, Any], response: dict[str, Any]) -> str:  # noqa: ARG002
        """The immutable `account_id`, else `id`."""
        account_id = response.get("account_id") or response.get("id")
        if not account_id:
            raise AuthResponseError(
                self, claim="account_id", code="missing_claim", stage="user_info"
            )
        return str(account_id)

    def get_legacy_social_auth(
        self,
        uid: str,  # noqa: ARG002
        id_key: str,
        response: dict[str, Any],
        user: Any = None,  # noqa: ARG002
    ) -> UserSocialAuth | None:
        """The association of somebody linked by `id`, before Spotify told their `account_id`."""
        old = str(response.get("id") or "")
        linked = {"user__spotify__account_id": old, "user__spotify__spotify_id": old}
        found = UserSocialAuth.objects.filter(provider=self.name, uid=old, id_key=id_key, **linked)
        return found.first()

    def get_user_details(self, response: dict[str, Any]) -> dict[str, Any]:
        """Only a name: Spotify doesn't verify its e-mail addresses."""
        return {"fullname": response.get("display_name") or ""}

    def user_data(self, access_token: str, *_: Any, **__: Any) -> dict[str, Any]:
        self._spend()
        try:
            data: dict[str, Any] = self.get_json(
                app.api_url("/me"), headers={"Authorization": f"Bearer {access_token}"}
            )
        except AuthProviderError as error:
            if error.status_code == HTTPStatus.FORBIDDEN:
                raise self._refusal(error) from error
            raise
        return data

    def request(self, url: str, **options: Any) -> requests.Response:
        """As everywhere, a 429 opens the circuit for all calls to Spotify."""
        try:
            return super().request(url, **options)
        except AuthProviderError as error:
            if error.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                headers = {"Retry-After": error.retry_after or ""}
                circuit_breaker.open_after(
                    httpx.Response(error.status_code, headers=headers, text=_text(error))
                )
            raise

    def _spend(self) -> None:
        try:
            budget.spend(None, sign_in=True)
        except BudgetSpent as error:
            wait = str(math.ceil((error.until - timezone.now()).total_seconds()))
            raise AuthProviderError(
                self, code="rate_limited", stage="user_info", status_code=429, retry_after=wait
            ) from error

    def _refusal(self, error: AuthProviderError) -> AuthPolicyError:
        """Only the text of the answer says which of the two it is."""
        if "premium" in _text(error).lower():
            return OwnerNeedsPremium(self, stage="user_info")
        return NotOnAllowList(self, stage="user_info")

    def run_pipeline(self, *args: Any, **kwargs: Any) -> Any:
        """Run in one transaction, so that no user is created without their Spotify account."""
        with transaction.atomic():
            return super().run_pipeline(*args, **kwargs)

    def extra_data(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing: tokens are stored encrypted in SpotifyAccount, not in this plain JSON."""
        return {}


def _text(error: AuthProviderError) -> str:
    """What Spotify answered."""
    response = getattr(error.__cause__, "response", None)
    return "" if response is None else str(response.text)
