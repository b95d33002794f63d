"""Store steering, learning and music preferences, and reset taste."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender import selectors
from recommender.catalogue import demo_tracks
from recommender.locks import lock_profile
from recommender.models import (
    Choice,
    MusicPreferences,
    StoryTuning,
    Suggestion,
    TasteProfile,
    TasteReset,
    Track,
)
from recommender.ranking.music_scope import MusicScope
from recommender.services.saves import recount_saves
from recommender.services.taste import recount_taste


@atomic_with_retry
def steer_story(*, user: User, story_id: UUID, steering: float) -> StoryTuning:
    """Set the story's steering, from 0 (match) over 0.5 (lift) to 1 (contrast)."""
    lock_profile(user)
    tuning, _ = StoryTuning.objects.update_or_create(
        story_id=story_id, defaults={"user": user, "steering": steering}
    )
    return tuning


@atomic_with_retry
def set_music_scope(*, user: User, story_id: UUID, music: MusicScope) -> StoryTuning:
    """Set whether the story gets music of the person's own, new music, or both."""
    lock_profile(user)
    tuning, _ = StoryTuning.objects.update_or_create(
        story_id=story_id, defaults={"user": user, "music": music.value}
    )
    return tuning


@atomic_with_retry
def set_learning(*, user: User, story_id: UUID, learns: bool) -> StoryTuning:
    """Set whether to learn from the story; its saved track counts, or stops counting, at once."""
    lock_profile(user)
    tuning, _ = StoryTuning.objects.update_or_create(
        story_id=story_id, defaults={"user": user, "learns": learns}
    )
    saved = Choice.objects.filter(user=user, story_id=story_id)
    if saved.update(learns=learns, reset=None):
        _recount(user, _tracks_of(saved))
    return tuning


@atomic_with_retry
def reset_taste(*, user: User) -> TasteProfile:
    """Stop learning from the person's choices so far, which stay saved with their stories."""
    lock_profile(user)
    learned = Choice.objects.filter(user=user, learns=True)
    tracks = _tracks_of(learned)
    if tracks:
        learned.update(learns=False, reset=TasteReset.objects.create(user=user, at=timezone.now()))
    return _recount(user, tracks)


@atomic_with_retry
def undo_taste_reset(*, user: User) -> TasteProfile:
    """Learn again from the choices of the latest reset that are still saved."""
    lock_profile(user)
    reset = TasteReset.objects.filter(user=user).first()
    tracks = _tracks_of(reset.choices.all()) if reset else []
    if reset:
        reset.choices.update(learns=True)
        reset.delete()
    return _recount(user, tracks)


def set_preferences(*, user: User, **values: Any) -> MusicPreferences:
    """Update these fields of the person's MusicPreferences.

    Setting likes counts as an answer, so the person isn't asked again.
    """
    if {"liked_genres", "liked_languages"} & values.keys():
        values["asked_at"] = timezone.now()
    tidy = {
        name: _once(value) if isinstance(value, list) else value for name, value in values.items()
    }
    preferences, _ = MusicPreferences.objects.update_or_create(user=user, defaults=tidy)
    return preferences


def answer_likes(*, user: User, genres: list[str], languages: list[str]) -> MusicPreferences:
    """Store what a newcomer likes, possibly nothing, for use until their choices outweigh it."""
    return set_preferences(user=user, liked_genres=genres, liked_languages=languages)


@atomic_with_retry
def claim_demo_notice(*, user: User) -> bool:
    """Claim the one-time notice that demo tracks are out of use; return whether to show it.

    People who were never shown a demo track don't get it.
    """
    if selectors.music_preferences(user).demo_notice_at or demo_tracks.in_use():
        return False
    MusicPreferences.objects.get_or_create(user=user)
    untold = MusicPreferences.objects.filter(user=user, demo_notice_at=None)
    if not untold.update(demo_notice_at=timezone.now()):
        return False
    return Suggestion.objects.filter(user=user, track__source=Track.Source.DEMO).exists()


def _tracks_of(choices: QuerySet[Choice]) -> list[UUID]:
    return [*choices.order_by().values_list("track_id", flat=True)]


def _recount(user: User, tracks: list[UUID]) -> TasteProfile:
    """Recompute the person's taste and the save counts of these tracks."""
    profile = recount_taste(user=user)
    recount_saves(track_ids=tracks)
    return profile


def _once(values: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(values)]
