"""Keeping a track with a story, and letting a story go."""

from __future__ import annotations

from uuid import UUID

from django.core.files.storage import Storage
from django.db import transaction

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender import services as recommender
from recommender.errors import TrackNotFoundError
from recommender.models import Choice
from stories.errors import UnknownTrackError
from stories.models import Photo, Story, Video
from stories.services.corrections import lock_ready_story, lock_story


@atomic_with_retry
def save_choice(*, story: Story, track_id: UUID) -> Choice:
    """Keep a track with the story instead of an earlier one; the owner's taste learns at once.

    Raises StoryNotReadyError before there are suggestions, UnknownTrackError for an id of no track.
    """
    locked = lock_ready_story(story)
    try:
        return recommender.save_choice(user=locked.user, story_id=locked.pk, track_id=track_id)
    except TrackNotFoundError as error:
        raise UnknownTrackError from error


@atomic_with_retry
def remove_choice(*, story: Story) -> None:
    locked = lock_story(story)
    recommender.remove_choice(user=locked.user, story_id=locked.pk)


@atomic_with_retry
def delete_story(*, story: Story) -> None:
    """Remove the story, what was suggested and chosen for it, and after the commit its files.

    A worker that has it in hand notices at its next write and drops what it found.
    """
    locked = Story.objects.select_for_update().filter(pk=story.pk).first()
    if locked is None:
        return
    _delete_files_on_commit([locked.pk])
    recommender.forget_story(story_id=locked.pk)
    locked.delete()


@transaction.atomic
def delete_stories_of(user: User) -> None:
    """Everything this person uploaded, for the deletion of the account; what was suggested and
    saved with it is another part of that."""
    stories = Story.objects.filter(user=user)
    locked = list(stories.select_for_update().order_by("pk").values_list("pk", flat=True))
    _delete_files_on_commit(locked)
    stories.filter(pk__in=locked).delete()


def _delete_files_on_commit(story_ids: list[UUID]) -> None:
    kept = {"story__in": story_ids}
    files = [f for photo in Photo.objects.filter(**kept) for f in (photo.file, photo.thumbnail)]
    files += [video.file for video in Video.objects.filter(**kept)]
    for file in files:
        if file.name:
            _delete_on_commit(file.storage, str(file.name))


def _delete_on_commit(storage: Storage, name: str) -> None:
    def delete_file() -> None:
        storage.delete(name)

    # Robust: one file that the storage will not let go does not keep the other.
    transaction.on_commit(delete_file, robust=True)
