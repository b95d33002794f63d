"""Ranking tracks for a story and keeping the log of what was shown."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from ml.mood import MoodTarget
from recommender import selectors
from recommender.engine.rerank import choose, story_noise
from recommender.engine.scoring import Mood, score_terms, total
from recommender.engine.steering import steer
from recommender.errors import SuggestionNotFoundError
from recommender.models import StoryTuning, Suggestion, Track
from recommender.ranking import candidate_sources
from recommender.ranking.listener import who_asks


@atomic_with_retry
def suggest_tracks(
    *, user: User, story_id: UUID, mood: MoodTarget, n: int = 10
) -> list[Suggestion]:
    """Rank tracks for the story's mood and this person, log them as shown, best first.

    The story's tuning moves the mood, and the person's filters leave tracks out.
    """
    tuning = selectors.story_tuning(story_id)
    target = steer(engine_mood(mood), tuning.steering)
    person, (weights, ranked_by) = who_asks(user), selectors.ranking_weights()
    pool = candidate_sources.gather(person=person, story_id=story_id, mood=target, weights=weights)
    terms = score_terms(pool.features, mood=target, taste=person.taste, weights=weights)
    scores = total(terms)
    listed = candidate_sources.shortlist(pool, scores)
    picks = choose(
        scores[listed.rows],
        artists=listed.artists,
        songs=listed.songs,
        n=n,
        noise=story_noise(story_id.int >> 64, listed.words, n),
        genres=listed.genres,
        years=listed.years,
    )
    if tuning.fits_nothing != (not picks):
        StoryTuning.objects.update_or_create(
            story_id=story_id, defaults={"user": user, "fits_nothing": not picks}
        )
    tracks = Track.objects.in_bulk([listed.ids[pick.row] for pick in picks])
    batch, now = uuid4(), timezone.now()
    return Suggestion.objects.bulk_create(
        Suggestion(
            batch=batch,
            user=user,
            story_id=story_id,
            track=tracks[listed.ids[pick.row]],
            rank=rank,
            score=float(scores[listed.rows[pick.row]]),
            terms={
                name: round(float(values[listed.rows[pick.row]]), 6)
                for name, values in terms.items()
            },
            propensity=pick.propensity,
            model_version=ranked_by,
            steering=tuning.steering,
            shown_at=now,
        )
        for rank, pick in enumerate(picks, start=1)
    )


def engine_mood(mood: MoodTarget) -> Mood:
    """The mood as the engine takes it."""
    return Mood(
        mean=np.array([mood.valence, mood.energy], dtype=np.float64),
        covariance=np.array(mood.spread, dtype=np.float64).reshape(2, 2),
    )


@atomic_with_retry
def give_feedback(*, user: User, suggestion_id: UUID, feedback: str) -> Suggestion:
    """Note what the person said of a suggestion; one refused leaves the story's list."""
    said = {"feedback": Suggestion.Feedback(feedback), "feedback_at": timezone.now()}
    Suggestion.objects.filter(user=user, pk=suggestion_id).update(**said)
    suggestion = selectors.get_suggestion(user, suggestion_id)
    if suggestion is None:
        raise SuggestionNotFoundError("This suggestion is not there any more.")
    return suggestion
