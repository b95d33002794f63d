"""What happens by the clock, and mail, which must not make a page faster for some addresses."""

from typing import Any

from celery import shared_task
from django.core.management import call_command

from accounts.mail import messages
from accounts.mail.claims import Claim

# A mail server that is away or busy is asked again for about a quarter of an hour.
AGAIN: dict[str, Any] = {"autoretry_for": (OSError,), "retry_backoff": 30, "max_retries": 5}


@shared_task(name="accounts.tasks.forget_expired")  # type: ignore[untyped-decorator]
def forget_expired() -> None:
    """Remove sessions that have run out and sign-ins that were begun and never finished."""
    call_command("clearsessions")
    call_command("clearsocial", age=1)


@shared_task(name="accounts.tasks.mail_confirmation", **AGAIN)  # type: ignore[untyped-decorator]
def mail_confirmation(email: str, goal: str = "", user_pk: int | None = None) -> None:
    """Send the link that confirms an address; there is no row yet to name by its id."""
    messages.confirm_address(Claim(email, goal, user_pk)).send()


@shared_task(name="accounts.tasks.mail_password_reset", **AGAIN)  # type: ignore[untyped-decorator]
def mail_password_reset(email: str) -> None:
    """Send the link to a new password, if somebody signs in with this address."""
    if mail := messages.password_reset(email):
        mail.send()
