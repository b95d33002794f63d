"""Saving a track with a story, and what follows from it at once: taste, factor, trend."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from recommender import factor_selectors, selectors
from recommender.engine.taste import Taste
from recommender.errors import TrackNotFoundError
from recommender.models import Choice, StoryTuning, Suggestion, TasteProfile, Track
from recommender.services.folding import fold_in_person
from recommender.services.saves import add_save, recount_saves
from recommender.taste_vectors import content_of, taste_of


@transaction.atomic
def save_choice(*, user: User, story_id: UUID, track_id: UUID) -> Choice:
    """Save the track with the story in place of an earlier one; the taste leans to it at once."""
    track = Track.objects.filter(pk=track_id).first()
    if track is None:
        raise TrackNotFoundError("This track is not in the catalogue any more.")
    profile = _locked_profile(user)
    taste = _without_choice_of(story_id, taste_of(profile))
    learns = selectors.story_tuning(story_id).learns
    shown = Suggestion.objects.filter(user=user, story_id=story_id, track=track)
    choice = Choice.objects.create(
        user=user,
        story_id=story_id,
        track=track,
        suggestion=shown.order_by("-shown_at").first(),
        learns=learns,
        created_at=timezone.now(),
    )
    _store(profile, taste.with_choice(content_of(track)) if learns else taste)
    if learns:
        add_save(track_id=track.pk, at=choice.created_at)
    return choice


@transaction.atomic
def remove_choice(*, user: User, story_id: UUID) -> None:
    """Take back what was saved with the story, from the taste as well."""
    if not Choice.objects.filter(user=user, story_id=story_id).exists():
        return
    profile = _locked_profile(user)
    _store(profile, _without_choice_of(story_id, taste_of(profile)))


@transaction.atomic
def forget_story(*, story_id: UUID) -> None:
    """Remove everything that was shown or saved with a story."""
    choice = Choice.objects.filter(story_id=story_id).select_related("user").first()
    if choice is not None:
        remove_choice(user=choice.user, story_id=story_id)
    Suggestion.objects.filter(story_id=story_id).delete()
    StoryTuning.objects.filter(story_id=story_id).delete()


@transaction.atomic
def recount_taste(*, user: User) -> TasteProfile:
    """Work the taste out again from what is saved."""
    profile = _locked_profile(user)
    taste = Taste.unknown()
    for choice in Choice.objects.filter(user=user, learns=True).select_related("track"):
        taste = taste.with_choice(content_of(choice.track))
    return _store(profile, taste)


def _locked_profile(user: User) -> TasteProfile:
    TasteProfile.objects.get_or_create(user=user, defaults={"vector": [], "n_choices": 0})
    return TasteProfile.objects.select_for_update().get(user=user)


def _without_choice_of(story_id: UUID, taste: Taste) -> Taste:
    earlier = Choice.objects.filter(story_id=story_id).select_related("track").first()
    if earlier is None:
        return taste
    earlier.delete()
    recount_saves(track_ids=[earlier.track_id])
    return taste.without_choice(content_of(earlier.track)) if earlier.learns else taste


def _store(profile: TasteProfile, taste: Taste) -> TasteProfile:
    profile.vector = taste.mean.tolist()
    profile.n_choices = taste.n_choices
    profile.save()
    version = factor_selectors.serving_factors()
    if version is not None:
        fold_in_person(profile, version)
    return profile
