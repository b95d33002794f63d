"""Queries on stories, with the owner's corrections applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from ml.labels import ACTIONS, EMOTIONS, INTENSITIES
from ml.mood import Gaussian, MoodTarget
from ml.mood.fusion import CONTRADICTS, disagreement, fuse
from recommender.engine.mood_words import MoodWords, mood_words, point_words
from stories.models import Analysis, Story, Video
from stories.survey.selectors import action_levels

# The correction that stands for no emotion or none of the actions.
NONE = "none"
VIDEO_STATUSES = ("preparing", "ready", "failed")
LABELS: Mapping[str, tuple[str, ...]] = {"emotion": EMOTIONS, "action": ACTIONS}


def get_story(user: User, story_id: UUID) -> Story:
    """Get a story of this person. Raises Story.DoesNotExist, also for somebody else's."""
    return history(user).get(pk=story_id)


def history(user: User) -> QuerySet[Story]:
    """This person's stories, newest first, with media and analysis in the same query."""
    return Story.objects.filter(user=user).select_related("photo", "video", "analysis")


def effective_tags(story: Story) -> dict[str, Any] | None:
    """The tags as the API shows them; a correction counts as certain. None until ready."""
    analysis = analysis_of(story)
    if analysis is None:
        return None
    emotion, action = _emotion(analysis), _action(analysis)
    return {
        "emotion": {"label": _emotion_label(analysis), "probabilities": emotion or {}},
        "action": {"label": _action_label(analysis), "probabilities": action or {}},
        "intensity": _labelled(_intensity(analysis)),
        "faces": [_face(face) for face in analysis.faces],
    }


def mood_of(story: Story) -> MoodTarget | None:
    """The mood that the suggestions are ranked for; None until ready."""
    analysis = analysis_of(story)
    if analysis is None:
        return None
    return MoodTarget.from_json(
        {
            "valence": analysis.mood_valence,
            "energy": analysis.mood_energy,
            "spread": analysis.mood_spread,
        }
    )


def mood_words_of(story: Story) -> MoodWords | None:
    """The mood in words; one that was set by hand is certain. None until ready."""
    mood, analysis = mood_of(story), analysis_of(story)
    if mood is None or analysis is None:
        return None
    by_hand = analysis.mood_set_by_hand
    return point_words(mood.valence, mood.energy) if by_hand else mood_words(mood)


def described_mood(story: Story) -> dict[str, Any] | None:
    """The mood with its words as the API shows it; None until ready."""
    mood, words = mood_of(story), mood_words_of(story)
    if mood is None or words is None:
        return None
    return {**mood.to_json(), "word": words.word, "certainty": words.certainty}


def moments_of(story: Story) -> list[dict[str, float]]:
    """The mood of a video over time; empty until ready and for a photo."""
    analysis = analysis_of(story)
    return list(analysis.moments) if analysis else []


def fused_mood(analysis: Analysis) -> MoodTarget:
    """Fuse the tags, corrections included, into a mood without running a model."""
    return fuse(**_picture(analysis), caption=_words(analysis))


def is_contradictory(analysis: Analysis) -> bool:
    """Whether caption and picture have moods that hardly go together."""
    return not analysis.mood_set_by_hand and contradiction(analysis) >= CONTRADICTS


def contradiction(analysis: Analysis) -> float:
    """Return from 0 to 1 how much caption and picture contradict each other."""
    return disagreement(**_picture(analysis), caption=_words(analysis))


def _words(analysis: Analysis) -> Gaussian | dict[str, float] | None:
    mood = analysis.caption_mood
    return Gaussian.from_json(mood) if mood else analysis.caption


def _picture(analysis: Analysis) -> dict[str, Any]:
    """The arguments of `fuse`, apart from the caption."""
    scene = analysis.scene
    return {
        "emotion": _emotion(analysis),
        "action": _action(analysis),
        "intensity": _intensity(analysis),
        "scene": Gaussian.from_json(scene["mood"]) if scene else None,
    }


def modelled_mood(analysis: Analysis) -> MoodTarget:
    """Fuse the models' tags into a mood, ignoring corrections."""
    return fused_mood(as_modelled(analysis))


def as_modelled(analysis: Analysis) -> Analysis:
    """The models' tags without corrections, as an analysis that isn't stored."""
    names = ("emotion", "action", "intensity", "caption", "caption_mood", "scene")
    return Analysis(**{name: getattr(analysis, name) for name in names})


def analysis_of(story: Story) -> Analysis | None:
    return getattr(story, "analysis", None)


def video_of(story: Story) -> Video | None:
    return getattr(story, "video", None)


def playable_video_of(story: Story) -> Video | None:
    """The video of a story once it can be served."""
    video = video_of(story)
    return video if video and video.file else None


def video_status(story: Story) -> str | None:
    """One of VIDEO_STATUSES; None for a photo."""
    video = video_of(story)
    if video is None:
        return None
    return "ready" if video.file else "preparing" if video.source else "failed"


def _face(face: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "box": face["box"],
        "label": face.get("label"),
        "probabilities": _probabilities(face["probabilities"], EMOTIONS),
    }


def _emotion(analysis: Analysis) -> dict[str, float] | None:
    if analysis.corrected_emotion is None:
        return _probabilities(analysis.emotion, EMOTIONS)
    return _certain(analysis.corrected_emotion, EMOTIONS)


def _emotion_label(analysis: Analysis) -> str | None:
    if analysis.corrected_emotion is None and analysis.emotion_label:
        return analysis.emotion_label
    return _top(_emotion(analysis))


def _action(analysis: Analysis) -> dict[str, float] | None:
    if analysis.corrected_action is None:
        return _probabilities(analysis.action, ACTIONS)
    return _certain(analysis.corrected_action, ACTIONS)


def _action_label(analysis: Analysis) -> str | None:
    corrected = analysis.corrected_action
    if corrected is None:
        return analysis.action_label
    return None if corrected == NONE else corrected


def _intensity(analysis: Analysis) -> dict[str, float] | None:
    corrected = analysis.corrected_action
    if corrected is None:
        return _probabilities(analysis.intensity, INTENSITIES)
    return None if corrected == NONE else action_levels()[corrected]


def _certain(label: str, labels: tuple[str, ...]) -> dict[str, float] | None:
    return None if label == NONE else {name: float(name == label) for name in labels}


def _probabilities(stored: Any, labels: tuple[str, ...]) -> dict[str, float] | None:
    """Restore the order of the classes, which JSON columns do not keep."""
    return {name: float(stored[name]) for name in labels if name in stored} if stored else None


def _labelled(probabilities: dict[str, float] | None) -> dict[str, Any]:
    return {"label": _top(probabilities), "probabilities": probabilities or {}}


def _top(probabilities: dict[str, float] | None) -> str | None:
    return max(probabilities, key=probabilities.__getitem__) if probabilities else None
