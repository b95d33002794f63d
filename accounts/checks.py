"""System checks for Spotify, SITE_URL and e-mail."""

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
    """Keep the Spotify sandbox, which signs anybody in, off public sites."""
    if not settings.SPOTIFY_SANDBOX:
        return []
    if settings.DEBUG and not settings.SPOTIFY_CLIENT_ID:
        return []
    return [
        Error(
            "SPOTIFY_SANDBOX is on, but DEBUG is off or Spotify client credentials are set.",
            hint="Set SPOTIFY_SANDBOX=0; the sandbox lets anybody sign in as one of its listeners.",
            id="accounts.E001",
        )
    ]


@register(deploy=True)
def site_url_is_public(**_: Any) -> Sequence[CheckMessage]:
    """Require HTTPS for SITE_URL, which links in e-mails begin with."""
    if settings.SITE_URL.startswith("https://"):
        return []
    return [
        Error(
            "SITE_URL doesn't begin with https://, so links in e-mails are broken or insecure.",
            hint="Set SITE_URL to the site's public address, for example https://storify.example.",
            id="accounts.E003",
        )
    ]


@register(Tags.security, deploy=True)
def mail_reaches_people(**_: Any) -> Sequence[CheckMessage]:
    """Require a mail server: without one, links would end up in a log or nowhere."""
    if settings.EMAIL_BACKEND not in SENDS_NOTHING:
        return []
    return [
        Error(
            "No mail server is set up, so people can't sign up or reset their passwords.",
            hint="Set EMAIL_URL, for example smtp+tls://user:password@mail.example:587.",
            id="accounts.E002",
        )
    ]
