"""Save and remove the track of a story and update taste, factors and trends."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender import selectors
from recommender.errors import TrackNotFoundError
from recommender.locks import lock_profile, lock_track
from recommender.models import Choice, StoryTuning, Suggestion
from recommender.services.saves import add_save, recount_saves
from recommender.services.taste import recount_taste


@atomic_with_retry
def save_choice(*, user: User, story_id: UUID, track_id: UUID) -> Choice:
    """Save the track with the story, replacing an earlier one, and update the taste."""
    lock_profile(user)
    lost = _delete_choice(story_id)
    track = lock_track(track_id)
    if track is None:
        raise TrackNotFoundError("This track is no longer in the catalogue.")
    shown = Suggestion.objects.filter(user=user, story_id=story_id, track=track)
    choice = Choice.objects.create(
        user=user,
        story_id=story_id,
        track=track,
        source=track.source,
        suggestion=shown.first(),
        learns=selectors.story_tuning(story_id).learns,
        created_at=timezone.now(),
    )
    recount_taste(user=user)
    if lost is not None:
        recount_saves(track_ids=[lost.track_id, track.pk])
    elif choice.learns:
        add_save(track_id=track.pk, at=choice.created_at)
    return choice


@atomic_with_retry
def remove_choice(*, user: User, story_id: UUID) -> None:
    """Remove the story's saved track and update the taste."""
    if not Choice.objects.filter(user=user, story_id=story_id).exists():
        return
    lock_profile(user)
    lost = _delete_choice(story_id)
    if lost is not None:
        recount_taste(user=user)
        recount_saves(track_ids=[lost.track_id])


@atomic_with_retry
def forget_story(*, story_id: UUID) -> None:
    """Remove everything that was shown or saved with a story."""
    choice = Choice.objects.filter(story_id=story_id).select_related("user").first()
    if choice is not None:
        lock_profile(choice.user)
    StoryTuning.objects.filter(story_id=story_id).delete()
    if choice is not None:
        remove_choice(user=choice.user, story_id=story_id)
    Suggestion.objects.filter(story_id=story_id).delete()


def _delete_choice(story_id: UUID) -> Choice | None:
    """Delete the story's choice and return it, if there was one."""
    earlier = Choice.objects.filter(story_id=story_id).first()
    if earlier is not None:
        Choice.objects.filter(pk=earlier.pk).delete()
    return earlier
