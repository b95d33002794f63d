"""E-mails about addresses and passwords."""

from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.mail.claims import Claim
from accounts.models import User

CONSOLE = "django.core.mail.backends.console.EmailBackend"


def appear_on_the_page() -> bool:
    """Whether pages show e-mails: on a local site without a mail server."""
    return bool(settings.DEBUG) and settings.EMAIL_BACKEND == CONSOLE


def confirm_address(claim: Claim) -> EmailMessage:
    """The link to choose a password; for an address with an account, how to sign in."""
    if User.objects.filter(email=claim.email).exclude(pk=claim.user_pk or 0).exists():
        sign_in, reset = _url("accounts:sign_in"), _url("accounts:password_reset")
        return _compose("address_taken", claim.email, sign_in=sign_in, reset=reset)
    link = _url("accounts:open_link", claim.sign())
    return _compose("confirm_address", claim.email, link=link, new=claim.user_pk is None)


def password_reset(email: str) -> EmailMessage | None:
    """The password reset link; None if nobody signs in with this address and a password."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None or not user.has_usable_password():
        return None
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    link = _url("accounts:password_reset_confirm", uid, token)
    return _compose("password_reset", email, link=link)


def _url(name: str, *args: str) -> str:
    return settings.SITE_URL + reverse(name, args=args)


def _compose(name: str, to: str, **context: Any) -> EmailMessage:
    context["email"] = to
    subject = render_to_string(f"accounts/{name}_subject.txt", context)
    body = render_to_string(f"accounts/{name}_email.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=[to])
