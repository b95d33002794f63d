"""API token authentication.

The view that issues tokens is in accounts.api.views, because REST framework loads this module while
its own views are still being imported.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import selectors, services
from accounts.models import ApiToken, User


class ApiTokenAuthentication(BaseAuthentication):
    """Authenticates `Authorization: Token …`, from the account page or /api/v1/auth/token."""

    keyword = "Token"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, plain = get_authorization_header(request).partition(b" ")
        if scheme.lower() != self.keyword.lower().encode():
            return None
        token = selectors.find_api_token(plain.strip().decode("latin-1"))
        if token is None:
            raise AuthenticationFailed(
                "This token is unknown or has been revoked; a new password revokes all tokens."
            )
        services.touch_api_token(token=token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return self.keyword


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token ` followed by a token from the account page.",
        }
