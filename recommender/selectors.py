"""Reading tracks, suggestions and choices."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from recommender.engine.songs import fold
from recommender.models import Choice, Suggestion, TasteProfile, Track


def current_suggestions(story_id: UUID) -> list[Suggestion]:
    """The latest list of the story in its order, without what was refused."""
    shown = Suggestion.objects.filter(story_id=story_id)
    latest = shown.order_by("-shown_at").values("batch")[:1]
    kept = shown.filter(batch=latest).exclude(feedback=Suggestion.Feedback.NOT_THIS_ONE)
    return list(kept.select_related("track").order_by("rank"))


def get_suggestion(user: User, suggestion_id: UUID) -> Suggestion | None:
    """One suggestion that was shown to this person."""
    mine = Suggestion.objects.filter(user=user, pk=suggestion_id)
    return mine.select_related("track").first()


def search_tracks(q: str, limit: int = 20) -> list[Track]:
    """Tracks whose title and artists hold every word of `q`, or words that begin so.

    Accents and case do not matter. The best known come first.
    """
    words = fold(q).split()
    if not words:
        return []
    query = SearchQuery(
        " & ".join(f"{word}:*" for word in words), search_type="raw", config="simple"
    )
    found = playable().annotate(words=SearchVector("search_text", config="simple"))
    by_fame = found.filter(words=query).order_by(F("popularity").desc(nulls_last=True), "title")
    return list(by_fame[:limit])


def playable() -> QuerySet[Track]:
    """Tracks whose cached description has not expired."""
    return Track.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def get_choice(story_id: UUID) -> Choice | None:
    """The track saved with the story, if one was."""
    return Choice.objects.filter(story_id=story_id).select_related("track").first()


def choices_by_story(story_ids: Iterable[UUID]) -> dict[UUID, Choice]:
    """The saved track of each of these stories that has one."""
    choices = Choice.objects.filter(story_id__in=list(story_ids)).select_related("track")
    return {choice.story_id: choice for choice in choices}


def get_demo_track(track_id: UUID) -> Track | None:
    """A track of the demo catalogue, whose sound can be rendered."""
    return Track.objects.filter(pk=track_id, source=Track.Source.DEMO).first()


def taste_profile(user: User) -> TasteProfile | None:
    """What is known of the person's taste; nothing before the first saved track."""
    return TasteProfile.objects.filter(user=user).first()
