"""Error pages for sign-in with Spotify: what happened and what to do."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
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

from accounts.spotify import circuit_breaker
from accounts.spotify.oauth import NotOnAllowList, OwnerNeedsPremium
from accounts.spotify.scopes import Purpose


@dataclass(frozen=True)
class Explanation:
    title: str
    text: str


CANCELED = Explanation(
    "You cancelled at Spotify",
    "Nothing has changed. Storify works without that permission, too.",
)
NOT_ON_LIST = Explanation(
    "Your Spotify account doesn't have access yet",
    "This site's Spotify app is in development mode, which is limited to a few people on a list, "
    "and your Spotify account isn't on it. Ask whoever runs this site to add you, or use Storify "
    "with an e-mail address and a password.",
)
NEEDS_PREMIUM = Explanation(
    "This site's Spotify app needs Premium",
    "Spotify closes an app in development mode when its owner has no Premium. Ask whoever runs "
    "this site to renew theirs, or use Storify with an e-mail address and a password.",
)
IN_USE = Explanation(
    "That Spotify account is already in use",
    "Either somebody else here uses this Spotify account, or you have a different one connected. "
    "Disconnect yours first, or sign in to the other Storify account.",
)
ONLY_WAY_IN = Explanation(
    "Spotify is the only way you can sign in",
    "Add an e-mail address and a password on your account page first, or you'd be locked out. You "
    "can also delete your account and everything in it.",
)
STALE = Explanation(
    "That took too long",
    "The sign-in has expired or was started in another window. Please try again.",
)
MISCONFIGURED = Explanation(
    "Spotify sign-in isn't set up correctly",
    "Whoever runs this site can fix that: Spotify needs the right client id and secret, and an "
    "address that begins with https:// or http://127.0.0.1.",
)
BUSY = "Spotify is limiting requests"
UNAVAILABLE = Explanation(
    "Spotify isn't responding properly",
    "Nothing is lost. Please try again in a few minutes.",
)

BY_CODE = {
    "identity_in_use": IN_USE,
    "disconnect_disallowed": ONLY_WAY_IN,
    "authorization_code_rejected": STALE,
    "missing_parameter": STALE,
}
BY_KIND: tuple[tuple[type[SocialAuthBaseException], Explanation], ...] = (
    (NotOnAllowList, NOT_ON_LIST),
    (OwnerNeedsPremium, NEEDS_PREMIUM),
    (AuthCanceled, CANCELED),
    (AuthSessionError, STALE),
    (AuthConfigurationError, MISCONFIGURED),
    (AuthAssociationError, IN_USE),
    (AuthPolicyError, UNAVAILABLE),
)


def explain(error: SocialAuthBaseException) -> Explanation:
    if error.code == "rate_limited":
        return _busy(error.retry_after or "")
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    for kind, explanation in BY_KIND:
        if isinstance(error, kind):
            return explanation
    return UNAVAILABLE


def _busy(retry_after: str) -> Explanation:
    wait = circuit_breaker.wait_in_words(retry_after)
    return Explanation(
        BUSY,
        "This site has reached Spotify's limit for now. Nothing is lost; please try again in "
        f"{wait}, or sign in with an e-mail address and a password.",
    )


def try_again_url(request: HttpRequest) -> str:
    """The page of Storify's from which the person came: for the same permission, or to sign in."""
    purpose, after = request.session.get("spotify_purpose"), request.session.get("next")
    if request.user.is_authenticated and purpose in [*Purpose]:
        page = reverse("accounts:spotify-allow", args=[purpose])
    else:
        page = reverse("accounts:connect_spotify")
    return f"{page}?{urlencode({'next': after})}" if after else page


class SpotifySignInErrors(SocialAuthExceptionMiddleware):
    """Middleware that renders errors of the sign-in as pages."""

    def raise_exception(self, request: HttpRequest, exception: Exception) -> bool:  # noqa: ARG002
        """Never re-raise, so that the page appears with DEBUG on, too."""
        return False

    def get_redirect_uri(self, request: HttpRequest, exception: Exception) -> None:
        """No redirect; render_error responds directly."""

    def get_error_status(self, request: HttpRequest, exception: SocialAuthBaseException) -> int:
        """Return 400 for errors named in the query string, which anybody can make up."""
        status = super().get_error_status(request, exception)
        return 400 if "error" in request.GET and status >= 500 else status

    def render_error(
        self, request: HttpRequest, exception: SocialAuthBaseException
    ) -> HttpResponse:
        status = self.get_error_status(request, exception)
        self._log_error(exception, status)
        context = {"explanation": explain(exception), "try_again_url": try_again_url(request)}
        response = render(request, "accounts/spotify_error.html", context, status=status)
        add_never_cache_headers(response)
        return response
