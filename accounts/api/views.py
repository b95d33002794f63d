"""API view that issues tokens."""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import login_throttle, services
from accounts.models import User

WRONG_CREDENTIALS = "The e-mail address or the password is wrong."


class TooManyPasswords(APIException):
    status_code = 429
    default_code = "throttled"
    wait = login_throttle.WINDOW_SECONDS  # REST framework's name for what becomes Retry-After


class CredentialsSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = serializers.CharField(trim_whitespace=False, max_length=4096)
    label = serializers.CharField(max_length=80, default="API")  # type: ignore[assignment]


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()


class TokenView(APIView):
    """Exchange an e-mail address and a password for a token.

    Tokens are listed on the account page and can be revoked there.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="auth_token_create",
        tags=["auth"],
        request=CredentialsSerializer,
        responses=TokenSerializer,
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        email, password = (credentials.validated_data[name] for name in ("email", "password"))
        try:
            user = authenticate(request._request, username=email, password=password)
        except login_throttle.TooManyAttempts as error:
            raise TooManyPasswords(error.message) from error
        if not isinstance(user, User):
            raise AuthenticationFailed(WRONG_CREDENTIALS)
        try:
            _, plain = services.issue_api_token(
                user=user, label=credentials.validated_data["label"]
            )
        except services.PasswordReplaced as error:
            raise AuthenticationFailed(WRONG_CREDENTIALS) from error
        return Response({"token": plain}, headers={"Cache-Control": "no-store"})

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Make a failed sign-in a 401, although this view has no authentication."""
        return "Token"
