"""The lock on a person: the first in the lock order of recommender.locks."""

from __future__ import annotations

from accounts.models import User


def lock_person(user_id: int) -> User | None:
    """Lock the person's row until the transaction ends; None if it is gone.

    Take this lock before any other when writing rows that refer to the person or depend on their
    consent: withdrawing consent and deleting the account start with it, too.
    """
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
