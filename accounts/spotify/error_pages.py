"""Failures of signing in with Spotify, as pages that say what happened and what to do."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from social_core.exceptions import (
    AuthAssociationError,
    AuthCanceled,
    AuthConfigurationError,
    AuthPolicyError,
    AuthSessionError,
    SocialAuthBaseException,
)
from social_django.middleware import SocialAuthExceptionMiddleware

from accounts.spotify.oauth import NotOnAllowList


@dataclass(frozen=True)
class Explanation:
    title: str
    text: str


CANCELED = Explanation(
    "You did not connect Spotify",
    "You said no on Spotify's page, so nothing was connected. Storify works without it too.",
)
NOT_ON_LIST = Explanation(
    "Spotify does not let you in here yet",
    "This site's Spotify app is in development mode, which admits only a few people who were "
    "added by hand, and your Spotify account is not on that list. Ask whoever runs this site to "
    "add you, or use Storify with an e-mail address and a password.",
)
IN_USE = Explanation(
    "That Spotify account is already in use",
    "Either this Spotify account belongs to another person here, or you have a different Spotify "
    "account connected. Disconnect that one first, or sign in as the other person.",
)
ONLY_WAY_IN = Explanation(
    "Spotify is your only way in",
    "Add an e-mail address and a password on your account page first. Without them, "
    "disconnecting would lock you out. You can also delete your account with everything in it.",
)
STALE = Explanation(
    "That took too long",
    "The sign-in was started in another window or too long ago. Please try again.",
)
MISCONFIGURED = Explanation(
    "Spotify sign-in is not set up properly",
    "Spotify accepts only addresses that begin with https:// or http://127.0.0.1, together with "
    "the right client id and secret. Whoever runs this site can put that right.",
)
BUSY = Explanation(
    "Spotify has no time for us",
    "Spotify is limiting how often this site may ask. Nothing is lost; please try again later.",
)
UNAVAILABLE = Explanation(
    "Spotify did not answer properly",
    "Nothing is lost. Please try again in a few minutes.",
)

BY_CODE = {
    "identity_in_use": IN_USE,
    "disconnect_disallowed": ONLY_WAY_IN,
    "rate_limited": BUSY,
    "authorization_code_rejected": STALE,
    "missing_parameter": STALE,
}
BY_KIND: tuple[tuple[type[SocialAuthBaseException], Explanation], ...] = (
    (NotOnAllowList, NOT_ON_LIST),
    (AuthCanceled, CANCELED),
    (AuthSessionError, STALE),
    (AuthConfigurationError, MISCONFIGURED),
    (AuthAssociationError, IN_USE),
    (AuthPolicyError, UNAVAILABLE),
)


def explain(error: SocialAuthBaseException) -> Explanation:
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    for kind, explanation in BY_KIND:
        if isinstance(error, kind):
            return explanation
    return UNAVAILABLE


class SpotifySignInErrors(SocialAuthExceptionMiddleware):
    def raise_exception(self, request: HttpRequest, exception: Exception) -> bool:  # noqa: ARG002
        """People get the page with DEBUG on as well."""
        return False

    def get_redirect_uri(self, request: HttpRequest, exception: Exception) -> None:
        """No detour: the page with the explanation is the answer."""

    def render_error(
        self, request: HttpRequest, exception: SocialAuthBaseException
    ) -> HttpResponse:
        status = self.get_error_status(request, exception)
        self._log_error(exception, status)
        context = {"explanation": explain(exception)}
        response = render(request, "accounts/spotify_error.html", context, status=status)
        add_never_cache_headers(response)
        return response
