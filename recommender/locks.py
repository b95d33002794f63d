"""The one order in which rows are locked, and the locks that several services take.

Whoever changes music or stories locks in this order, and of several rows of a kind those with the
smaller key first. What is not needed is left out, what was passed is never gone back to:

1. `User`, by `lock_person`: whoever writes what depends on the person's
   consent, or would be left behind when the account is deleted.
2. `Story`, for a change to one story; `delete_stories_of` locks all of a person's at once.
3. `TasteProfile`, by `lock_profile`: everything that a person saves, takes back, resets or
   says of a story's music happens one after the other.
4. `TasteReset`, `StoryTuning`, `Choice`, `Suggestion`: rows of that person only.
5. `Track`: `lock_track` by those who refer to it, FOR UPDATE by those who delete it. To fill in
   or update a track needs no lock that these wait for.
6. `TrackSaves`, by `services.saves`, which everybody shares; last, so that it is held briefly.

Services that lock are `accounts.transactions.atomic_with_retry`: what the order cannot rule out,
such as a row deleted by hand, is tried again.
"""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from recommender.models import TasteProfile, Track


def lock_person(user_id: int) -> User | None:
    """Lock the person's row until the transaction ends; None if it is gone.

    Take this lock before any other when writing rows that refer to the person or depend on their
    consent: withdrawing consent and deleting the account start with it, too.
    """
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def lock_profile(user: User) -> TasteProfile:
    """The person's taste profile, made if need be; nobody else's until the transaction ends."""
    nothing = {"vector": [], "n_choices": 0}
    profile, _ = TasteProfile.objects.select_for_update().get_or_create(user=user, defaults=nothing)
    return profile


def lock_track(track_id: UUID) -> Track | None:
    """The track, which then stays until the transaction ends; None where it is gone.

    Foreign keys are checked, and take this lock, at the commit only: out of order.
    """
    rows = Track.objects.raw(
        "SELECT * FROM recommender_track WHERE id = %s FOR KEY SHARE", [track_id]
    )
    return next(iter(rows), None)
