"""Suggest tracks for a story, log what was shown and store feedback."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from ml.mood import MoodTarget
from recommender import selectors
from recommender.errors import SuggestionNotFoundError
from recommender.library.recommendations import request_recommendations
from recommender.library.selectors import has_own_music
from recommender.models import StoryTuning, Suggestion
from recommender.ranking.music_scope import MusicScope
from recommender.ranking.rank import Ranking, rank_tracks
from recommender.services.taste import refresh_taste


@atomic_with_retry
def suggest_tracks(
    *, user: User, story_id: UUID, mood: MoodTarget, n: int = 10
) -> list[Suggestion]:
    """Rank tracks for the story's mood and this person and log them as shown, best first.

    The story's tuning moves the mood and says whose music it may be; the person's filters leave
    tracks out.
    """
    tuning = selectors.story_tuning(story_id)
    # The page no longer offers the switch to those whose own music is gone.
    music = MusicScope(tuning.music) if has_own_music(user) else MusicScope.MIX
    ranking = rank_tracks(
        listener=refresh_taste(user=user),
        story_id=story_id,
        mood=mood,
        n=n,
        steering=tuning.steering,
        music=music,
    )
    transaction.on_commit(  # the suggestions are there, whether or not it can be asked for more
        lambda: request_recommendations(user_id=user.pk, valence=mood.valence, energy=mood.energy),
        robust=True,
    )
    return log_suggestions(user=user, story_id=story_id, ranking=ranking)


@atomic_with_retry
def log_suggestions(*, user: User, story_id: UUID, ranking: Ranking) -> list[Suggestion]:
    """Log the ranking as shown to this person now; return the rows, best first."""
    is_empty = not ranking.tracks
    if selectors.story_tuning(story_id).fits_nothing != is_empty:
        StoryTuning.objects.update_or_create(
            story_id=story_id, defaults={"user": user, "fits_nothing": is_empty}
        )
    batch, now = uuid4(), timezone.now()
    return Suggestion.objects.bulk_create(
        Suggestion(
            batch=batch,
            user=user,
            story_id=story_id,
            track=ranked.track,
            rank=ranked.rank,
            score=ranked.score,
            terms=ranked.terms,
            propensity=ranked.propensity,
            model_version=ranking.model_version,
            steering=ranked.steering,
            shown_at=now,
        )
        for ranked in ranking.tracks
    )


@atomic_with_retry
def give_feedback(*, user: User, suggestion_id: UUID, feedback: str) -> Suggestion:
    """Store feedback on a suggestion; a refused one leaves the story's list."""
    fields = {"feedback": Suggestion.Feedback(feedback), "feedback_at": timezone.now()}
    Suggestion.objects.filter(user=user, pk=suggestion_id).update(**fields)
    suggestion = selectors.get_suggestion(user, suggestion_id)
    if suggestion is None:
        raise SuggestionNotFoundError("This suggestion no longer exists.")
    return suggestion
