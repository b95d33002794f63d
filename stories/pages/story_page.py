"""Template context of the page of one story."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from ml.labels import ACTIONS, EMOTIONS
from ml.types import STAGES
from recommender.engine.mood_words import MoodWords
from recommender.library.selectors import has_own_music
from recommender.pages.forms import FiltersForm
from recommender.ranking.music_scope import MusicScope
from recommender.selectors import (
    current_suggestions,
    get_choice,
    music_preferences,
    refused_suggestions,
    story_tuning,
)
from stories import selectors
from stories.models import Story
from stories.pages import presenters
from stories.pages.mood_plane import plane
from stories.pages.mood_timeline import MoodTimeline, mood_timeline
from stories.saving.panel import panel
from stories.workers import model_status
from stories.workers.model_status import ModelStatus

# After this time in the queue, the page says that it's slow; an analysis takes about a second.
SLOW_AFTER = timedelta(seconds=15)
SCOPES = ((MusicScope.MINE, "My music"), (MusicScope.MIX, "Mix"), (MusicScope.NEW, "New to me"))
_NO_CONSENT = "Storify didn't read faces, as you chose. You can change that in your account."
_CONTRADICTORY = "The words and the picture point in different directions"
_HARD_TO_TELL = "Nothing here shows a clear mood. If you know it, set it yourself under “Mood”."
_NO_FACE = "No face found, so there's no emotion."


def context(story: Story) -> dict[str, Any]:
    """The context for the story's current state."""
    shown = {"story": story, "video": selectors.video_of(story)}
    if story.status == Story.Status.READY:
        return {**shown, **_ready(story)}
    return {**shown, **_waiting(story)}


def progress_state(story: Story) -> str:
    """The state that the page shows; a poll sends it back and gets 204 while it's unchanged."""
    return _progress_state(story, _models(story))


def _progress_state(story: Story, models: ModelStatus | None) -> str:
    slow = "slow" if _is_slow(story) else ""
    how_far = f"{models.state}{models.loaded}" if models else ""
    return f"{story.status}:{story.stage}:{slow}:{how_far}:{len(story.error)}"


def _waiting(story: Story) -> dict[str, Any]:
    stages = [name for name in STAGES if name != "caption" or story.caption]
    models = _models(story)
    return {
        "progress_state": _progress_state(story, models),
        "slow": _is_slow(story),
        "models": models,
        "steps": presenters.steps(story.stage, stages),
    }


def _models(story: Story) -> ModelStatus | None:
    """The status of the models while the story waits for them; None once its analysis began."""
    models = model_status.read() if not story.stage else None
    return models if models and models.state in {"warming", "away"} else None


def _is_slow(story: Story) -> bool:
    waited = timezone.now() - story.created_at
    return story.status == Story.Status.QUEUED and waited > SLOW_AFTER


def _ready(story: Story) -> dict[str, Any]:
    mood, words = selectors.mood_of(story), selectors.mood_words_of(story)
    assert mood is not None  # noqa: S101 - a ready story has an analysis
    assert words is not None  # noqa: S101 - as above
    shown = tracks(story)
    chosen = shown["choice"].track_id if shown["choice"] else None
    # Faces move in a video, so their boxes aren't shown.
    faces = [] if selectors.video_of(story) else story.analysis.faces
    return {
        **shown,
        "plane": plane(mood, words, shown["suggestions"], chosen),
        "note": _note(story, words),
        "timeline": _timeline(story),
        "set_by_hand": story.analysis.mood_set_by_hand,
        "faces": presenters.face_boxes(faces),
        **shown_tags(story),
    }


def _note(story: Story, words: MoodWords) -> str:
    if selectors.is_contradictory(story.analysis):
        return f"{_CONTRADICTORY}{'.' if words.is_hard_to_tell else ', so this is a guess.'}"
    return _HARD_TO_TELL if words.is_hard_to_tell else ""


def _timeline(story: Story) -> MoodTimeline | None:
    """A single frame is about as unsure as the whole video; only the latter's spread is stored."""
    moments = selectors.moments_of(story)
    return mood_timeline(moments, selectors.fused_mood(story.analysis).spread) if moments else None


def tracks(story: Story) -> dict[str, Any]:
    """The suggestions, and the saved track, which may no longer be one of them."""
    suggestions, choice = current_suggestions(story.id), get_choice(story.id)
    tuning, preferences = story_tuning(story.id), music_preferences(story.user)
    listed = any(choice and s.track_id == choice.track_id for s in suggestions)
    return {
        "story": story,
        "suggestions": suggestions,
        "choice": choice,
        "saved_earlier": choice is not None and not listed,
        "refused": refused_suggestions(story.id),
        "tuning": tuning,
        "direction": presenters.direction(tuning.steering),
        "filters": FiltersForm(preferences),
        "n_filters": preferences.n_filters,
        "has_own_music": has_own_music(story.user),
        "music_scopes": SCOPES,
        **panel(choice),
    }


def shown_tags(story: Story) -> dict[str, Any]:
    """The tags of a ready story as bars, with what the owner corrected."""
    analysis, tags = story.analysis, selectors.effective_tags(story) or {}
    emotion = presenters.tag(
        tags["emotion"]["label"],
        analysis.emotion,
        EMOTIONS,
        corrected=analysis.corrected_emotion is not None,
        conformal_set=analysis.emotion_set,
    )
    action = presenters.tag(
        tags["action"]["label"],
        analysis.action,
        ACTIONS,
        corrected=analysis.corrected_action is not None,
    )
    intensity = presenters.intensity(**tags["intensity"])
    return {
        "emotion": emotion,
        "no_emotion": _NO_CONSENT if story.user.faces_consent is False else _NO_FACE,
        "action": action,
        "intensity": intensity,
        "chips": presenters.chips(emotion, action, intensity, analysis.caption, analysis.scene),
    }
