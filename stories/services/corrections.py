"""Correct tags and mood and rank tracks again, without running a model."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.transactions import atomic_with_retry
from ml.mood import MoodTarget, point
from recommender.locks import lock_person
from recommender.ranking.music_scope import MusicScope
from recommender.services import set_learning, set_music_scope, steer_story, suggest_tracks
from stories.errors import StoryNotReadyError, UnknownLabelError
from stories.models import Analysis, Story, TagEvent
from stories.review.services.items import queue_overridden
from stories.selectors import LABELS, NONE, effective_tags, fused_mood, mood_of
from stories.services.tag_events import append_tag_events

# Nothing else is written, because the models' columns may be erased concurrently.
_BY_HAND = (
    *("corrected_emotion", "corrected_action", "outdated"),
    *("mood_valence", "mood_energy", "mood_spread", "mood_set_by_hand"),
)


@atomic_with_retry
def correct_story(
    *,
    story: Story,
    user: User,
    emotion: str | None = None,
    action: str | None = None,
    mood: tuple[float, float] | None = None,
) -> Story:
    """Correct tags ("none" for nothing of the kind) or set the mood (valence, energy) by hand.

    Corrected tags are fused into a new mood; a mood set by hand counts until a tag is corrected.
    Either ranks tracks again at once and is logged as a TagEvent by `user`.
    Raises StoryNotReadyError before the analysis is done, UnknownLabelError for an unknown label.
    """
    locked = lock_ready_story(story)
    analysis = locked.analysis
    for kind, label in (("emotion", emotion), ("action", action)):
        if label is not None:
            _correct_tag(locked, user, kind, label)
    _set_mood(locked, user, point(*mood) if mood else None, retagged=bool(emotion or action))
    analysis.save(update_fields=_BY_HAND)
    queue_overridden(story=locked)
    _suggest(locked)
    return locked


@atomic_with_retry
def tune_story(
    *,
    story: Story,
    user: User,
    steering: float | None = None,
    learns: bool | None = None,
    music: MusicScope | None = None,
) -> Story:
    """Steer the story's music, say whose music it may be, or whether Storify learns from the story.

    `steering` is from 0 (match) over 0.5 (lift) to 1 (contrast). It and `music` rank tracks again.
    Raises StoryNotReadyError before the analysis is done.
    """
    locked = lock_ready_story(story)
    if learns is not None:
        set_learning(user=user, story_id=locked.pk, learns=learns)
    if steering is not None:
        steer_story(user=user, story_id=locked.pk, steering=steering)
    if music is not None:
        set_music_scope(user=user, story_id=locked.pk, music=music)
    if steering is not None or music is not None:
        _suggest(locked)
    return locked


@atomic_with_retry
def suggest_again(*, story: Story) -> Story:
    """Rank tracks again for an unchanged story, after its owner's music preferences changed."""
    locked = lock_ready_story(story)
    _suggest(locked)
    return locked


def lock_story(story: Story) -> Story:
    """Lock the story until the transaction ends. Raises Story.DoesNotExist if it is gone."""
    lock_person(story.user_id)
    return Story.objects.select_for_update(of=("self",)).select_related("user").get(pk=story.pk)


def lock_ready_story(story: Story) -> Story:
    """Lock a story that is ready. Raises StoryNotReadyError for any other."""
    locked = lock_story(story)
    if locked.status != Story.Status.READY:
        raise StoryNotReadyError
    return locked


def _suggest(story: Story) -> None:
    target = mood_of(story)
    assert target is not None  # noqa: S101 - a ready story has an analysis
    suggest_tracks(user=story.user, story_id=story.pk, mood=target)
    Analysis.objects.filter(pk=story.pk, outdated=Analysis.Outdated.SUGGESTIONS).update(
        outdated=Analysis.Outdated.NOTHING
    )


def _correct_tag(story: Story, user: User, kind: str, label: str) -> None:
    if label not in {*LABELS[kind], NONE}:
        raise UnknownLabelError(kind)
    tags = effective_tags(story)
    before = tags[kind]["label"] if tags else None
    setattr(story.analysis, f"corrected_{kind}", label)
    _log(story, user, kind, before or NONE, label)


def _set_mood(story: Story, user: User, by_hand: MoodTarget | None, *, retagged: bool) -> None:
    if by_hand is None and not retagged:
        return
    analysis, before = story.analysis, _place(story.analysis)
    analysis.set_mood(by_hand or fused_mood(analysis))
    analysis.mood_set_by_hand = by_hand is not None
    analysis.outdated = Analysis.Outdated.NOTHING
    if by_hand is not None:
        _log(story, user, "mood", before, _place(analysis))


def _place(analysis: Analysis) -> dict[str, float]:
    return {"valence": analysis.mood_valence, "energy": analysis.mood_energy}


def _log(story: Story, user: User, kind: str, before: Any, after: Any) -> None:
    source = TagEvent.Source.OWNER
    append_tag_events(story=story, actor=user, source=source, changes={kind: (before, after)})
