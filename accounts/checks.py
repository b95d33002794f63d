from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SENDS_NOTHING = (
    "accounts.mail.backend.NotSetUp",
    *(f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "locmem")),
)


@register
def spotify_sandbox_is_local(**_: Any) -> Sequence[CheckMessage]:
    """Nobody who runs a real site may be signed in by the stand-in for Spotify."""
    if not settings.SPOTIFY_SANDBOX:
        return []
    if settings.DEBUG and not settings.SPOTIFY_CLIENT_ID:
        return []
    return [
        Error(
            "SPOTIFY_SANDBOX is on, but DEBUG is off or Spotify client credentials are set.",
            hint="Set SPOTIFY_SANDBOX=0; the sandbox lets anybody sign in as its listeners.",
            id="accounts.E001",
        )
    ]


@register(deploy=True)
def site_url_is_public(**_: Any) -> Sequence[CheckMessage]:
    """Links in mail begin with it."""
    if settings.SITE_URL.startswith("https://"):
        return []
    return [
        Error(
            "SITE_URL does not begin with https://, so links in mail lead nowhere or are not safe.",
            hint="Set SITE_URL to the address that people type, for example https://storify.example.",
            id="accounts.E003",
        )
    ]


@register(Tags.security, deploy=True)
def mail_reaches_people(**_: Any) -> Sequence[CheckMessage]:
    """Without mail nobody gets a new password, and links must not end in a log."""
    if settings.EMAIL_BACKEND not in SENDS_NOTHING:
        return []
    return [
        Error(
            "No mail server is set up, so nobody can be sent a link to a new password.",
            hint="Set EMAIL_URL, for example smtp+tls://user:password@mail.example:587.",
            id="accounts.E002",
        )
    ]
