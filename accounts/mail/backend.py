"""E-mail backend and page for sites without a mail server."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

NOT_SET_UP = "accounts.mail.backend.NotSetUp"


class MailNotSetUpError(Exception):
    """The e-mail wasn't sent because EMAIL_URL isn't set."""


class NotSetUp(BaseEmailBackend):
    """Refuses every e-mail, because the links in it would end up in a log.

    Raises MailNotSetUpError.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:  # noqa: ARG002
        raise MailNotSetUpError("EMAIL_URL isn't set, so no e-mail can be sent.")


def needs_mail(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answer with a 503 page, before the form, if no e-mail can be sent."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.EMAIL_BACKEND == NOT_SET_UP:
            return render(request, "accounts/mail_not_set_up.html", status=503)
        return view(request, *args, **kwargs)

    return checked
