"""Celery tasks: periodic clean-up, and e-mail.

E-mail is sent from a worker so that response times don't reveal which addresses have an account.
"""

from typing import Any

from celery import shared_task
from django.core.management import call_command

from accounts.mail import messages
from accounts.mail.claims import Claim

# Retries for about 15 minutes while the mail server is down or busy. Each wait is drawn
# below a bound that doubles, so that what failed together doesn't come back together.
RETRIES: dict[str, Any] = {
    "autoretry_for": (OSError,),
    "retry_backoff": 30,
    "retry_jitter": True,
    "max_retries": 7,
}


@shared_task(name="accounts.tasks.forget_expired")  # type: ignore[untyped-decorator]
def forget_expired() -> None:
    """Delete expired sessions and unfinished sign-ins."""
    call_command("clearsessions")
    call_command("clearsocial", age=1)


@shared_task(name="accounts.tasks.mail_confirmation", **RETRIES)  # type: ignore[untyped-decorator]
def mail_confirmation(email: str, goal: str = "", user_pk: int | None = None) -> None:
    """Send the link that confirms an address. Takes values, because there is no row yet."""
    messages.confirm_address(Claim(email, goal, user_pk)).send()


@shared_task(name="accounts.tasks.mail_password_reset", **RETRIES)  # type: ignore[untyped-decorator]
def mail_password_reset(email: str) -> None:
    """Send a password reset link, if a user signs in with this address."""
    if mail := messages.password_reset(email):
        mail.send()
