"""Sign-in with Spotify: authorization code with PKCE, real or sandboxed."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpResponse
from social_core.backends.oauth import BaseOAuth2PKCE
from social_core.exceptions import (
    AuthConfigurationError,
    AuthPolicyError,
    AuthProviderError,
    AuthResponseError,
)

from accounts.spotify import app


class NotOnAllowList(AuthPolicyError):
    """The person isn't on the allow-list of this application in development mode."""

    default_code = "membership_required"


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
        return app.SCOPES

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

    def get_user_details(self, response: dict[str, Any]) -> dict[str, Any]:
        """Only a name: Spotify doesn't verify its e-mail addresses."""
        return {"fullname": response.get("display_name") or ""}

    def user_data(self, access_token: str, *_: Any, **__: Any) -> dict[str, Any]:
        try:
            data: dict[str, Any] = self.get_json(
                app.api_url("/me"), headers={"Authorization": f"Bearer {access_token}"}
            )
        except AuthProviderError as error:
            if error.status_code == HTTPStatus.FORBIDDEN:
                raise NotOnAllowList(self, stage="user_info") from error
            raise
        return data

    def run_pipeline(self, *args: Any, **kwargs: Any) -> Any:
        """Run in one transaction, so that no user is created without their Spotify account."""
        with transaction.atomic():
            return super().run_pipeline(*args, **kwargs)

    def extra_data(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing: tokens are stored encrypted in SpotifyAccount, not in this plain JSON."""
        return {}
