"""What stands for a mail server where none is set up, and how pages say so."""

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
    """The mail was not sent, because EMAIL_URL names no mail server."""


class NotSetUp(BaseEmailBackend):
    """Refuses every mail: the links in it would stay in a log for everybody who reads that."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:  # noqa: ARG002
        raise MailNotSetUpError("EMAIL_URL is not set, so no mail can be sent.")


def needs_mail(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page that ends in a mail says beforehand that none can be sent."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.EMAIL_BACKEND == NOT_SET_UP:
            return render(request, "accounts/mail_not_set_up.html", status=503)
        return view(request, *args, **kwargs)

    return checked
