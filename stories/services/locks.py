"""The first lock of the order in recommender.locks: the person."""

from __future__ import annotations

from accounts.models import User


def lock_person(user_id: int) -> User | None:
    """Hold the person as they are until the transaction ends; None if they are gone.

    Whoever writes what depends on their consent, or rows that name them, takes this lock before
    any other: withdrawing consent and deleting the account begin with it, too.
    """
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
