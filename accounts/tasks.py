"""What happens by the clock."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="accounts.tasks.forget_expired")  # type: ignore[untyped-decorator]
def forget_expired() -> None:
    """Remove sessions that have run out and sign-ins that were begun and never finished."""
    call_command("clearsessions")
    call_command("clearsocial", age=1)
