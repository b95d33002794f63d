"""Save a track with a story, or take it off again."""

from __future__ import annotations

from uuid import UUID

from accounts.transactions import atomic_with_retry
from recommender import services as recommender
from recommender.errors import TrackNotFoundError
from recommender.models import Choice
from stories.errors import StoryNotReadyError, UnknownTrackError
from stories.models import Story
from stories.services.corrections import lock_ready_story, lock_story


@atomic_with_retry
def save_choice(*, story: Story, track_id: UUID) -> Choice:
    """Save a track with the story, replacing an earlier one, and update the owner's taste.

    Raises StoryNotReadyError before there are suggestions, UnknownTrackError if no track has the
    id.
    """
    locked = lock_ready_story(story)
    try:
        return recommender.save_choice(user=locked.user, story_id=locked.pk, track_id=track_id)
    except TrackNotFoundError as error:
        raise UnknownTrackError from error


def save_spotify_choice(*, story: Story, spotify_id: str) -> Choice:
    """Save a track of Spotify's search with the story; only now it's stored here.

    Raises as `save_choice`, and a SpotifyError if Spotify doesn't answer or doesn't know the track.
    """
    if story.status != Story.Status.READY:
        raise StoryNotReadyError
    track = recommender.get_or_store_track(user=story.user, spotify_id=spotify_id)
    return save_choice(story=story, track_id=track.pk)


@atomic_with_retry
def remove_choice(*, story: Story) -> None:
    """Remove the story's saved track, if there is one."""
    locked = lock_story(story)
    recommender.remove_choice(user=locked.user, story_id=locked.pk)
