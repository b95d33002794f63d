"""Deletion of stories and their files."""

from __future__ import annotations

from uuid import UUID

from django.core.files.storage import Storage
from django.db import transaction

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender import services as recommender
from stories.models import Photo, Story, Video


@atomic_with_retry
def delete_story(*, story: Story) -> None:
    """Delete the story with its suggestions and saved track, and its files after the commit.

    A worker that is analysing it notices at its next write and drops the result.
    """
    locked = Story.objects.select_for_update().filter(pk=story.pk).first()
    if locked is None:
        return
    _delete_files_on_commit([locked.pk])
    recommender.forget_story(story_id=locked.pk)
    locked.delete()


@transaction.atomic
def delete_stories_of(user: User) -> None:
    """Delete everything this person uploaded, as a part of deleting the account.

    Suggestions and saved tracks are deleted by the recommender.
    """
    stories = Story.objects.filter(user=user)
    locked = list(stories.select_for_update().order_by("pk").values_list("pk", flat=True))
    _delete_files_on_commit(locked)
    stories.filter(pk__in=locked).delete()


def _delete_files_on_commit(story_ids: list[UUID]) -> None:
    kept = {"story__in": story_ids}
    files = [f for photo in Photo.objects.filter(**kept) for f in (photo.file, photo.thumbnail)]
    files += [f for video in Video.objects.filter(**kept) for f in (video.file, video.source)]
    for file in files:
        if file.name:
            delete_on_commit(file.storage, str(file.name))


def delete_on_commit(storage: Storage, name: str) -> None:
    """Delete a stored file once nothing in the database names it any longer."""

    def delete_file() -> None:
        storage.delete(name)

    # Robust: a file that the storage fails to delete does not stop the others.
    transaction.on_commit(delete_file, robust=True)
