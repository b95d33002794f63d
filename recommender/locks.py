"""Row locks shared by several services, and the lock order.

Every service that changes stories or music locks rows in this order, skipping what it doesn't need,
and rows of one table in the order of their keys:

1. `User`, by `lock_person`: for rows that depend on the person's consent or refer to the person.
2. `Story`: for a change to one story; `delete_stories_of` locks all stories of a person at once.
3. `TasteProfile`, by `lock_profile`: serialises a person's saves, removals, resets and tunings.
4. `TasteReset`, `StoryTuning`, `Choice`, `Suggestion`: rows of that person only.
5. `Track`: `lock_track` to refer to it, FOR UPDATE to delete it. Updating a track doesn't conflict
   with `lock_track`.
6. `TrackSaves`, by `services.saves`: shared by everybody, so it's locked last and briefly.

Services that lock rows use `accounts.transactions.atomic_with_retry`, which retries deadlocks that
the order can't rule out, such as with a row deleted by hand.
"""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from recommender.models import TasteProfile, Track


def lock_person(user_id: int) -> User | None:
    """Lock the person's row until the transaction ends; None if it's gone.

    Take this lock before any other when writing rows that refer to the person or depend on their
    consent: withdrawing consent and deleting the account start with it, too.
    """
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def lock_profile(user: User) -> TasteProfile:
    """Lock the person's taste profile until the transaction ends; create it if missing."""
    empty = {"vector": [], "n_choices": 0}
    profile, _ = TasteProfile.objects.select_for_update().get_or_create(user=user, defaults=empty)
    return profile


def lock_track(track_id: UUID) -> Track | None:
    """Keep the track from being deleted until the transaction ends; None if it's gone.

    Deferred foreign keys would take this lock only at the commit, out of order.
    """
    rows = Track.objects.raw(
        "SELECT * FROM recommender_track WHERE id = %s FOR KEY SHARE", [track_id]
    )
    return next(iter(rows), None)
