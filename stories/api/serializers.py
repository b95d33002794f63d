"""Serializers of stories for the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from ml.labels import ACTIONS, EMOTION_LABELS, EMOTIONS, INTENSITIES
from recommender.api.listing import present_suggestions
from recommender.api.serializers import SuggestionSerializer
from recommender.engine.mood_words import CERTAINTIES
from recommender.models import SPOTIFY_ID
from recommender.ranking.music_scope import MusicScope
from recommender.selectors import chosen_tracks
from stories.models import MAX_CAPTION, Story
from stories.selectors import (
    NONE,
    VIDEO_STATUSES,
    described_mood,
    effective_tags,
    moments_of,
    playable_video_of,
    video_status,
)
from stories.uploads.formats import PHOTO, VIDEO


class UnitField(serializers.FloatField):
    """A number in [0, 1]."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0.0, max_value=1.0, **kwargs)


class EmotionTagSerializer(serializers.Serializer[Any]):
    label = serializers.ChoiceField(  # type: ignore[assignment]
        choices=EMOTION_LABELS,
        allow_null=True,
        help_text="null: there is no face; uncertain: there is one, but it cannot be read",
    )
    probabilities = serializers.DictField(child=UnitField())


class ActionTagSerializer(serializers.Serializer[Any]):
    label = serializers.ChoiceField(  # type: ignore[assignment]
        choices=ACTIONS, allow_null=True, help_text="null: none of the actions was recognised"
    )
    probabilities = serializers.DictField(child=UnitField())


class IntensityTagSerializer(serializers.Serializer[Any]):
    label = serializers.ChoiceField(choices=INTENSITIES, allow_null=True)  # type: ignore[assignment]
    probabilities = serializers.DictField(child=UnitField())


class FaceSerializer(serializers.Serializer[Any]):
    box = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        help_text="x, y, width, height as fractions of the photo, from its top left",
    )
    label = serializers.ChoiceField(  # type: ignore[assignment]
        choices=EMOTION_LABELS,
        allow_null=True,
        help_text="as named when the photo was analysed; uncertain: it cannot be read",
    )
    probabilities = serializers.DictField(child=UnitField())


class TagsSerializer(serializers.Serializer[Any]):
    emotion = EmotionTagSerializer()
    action = ActionTagSerializer()
    intensity = IntensityTagSerializer()
    faces = FaceSerializer(many=True)


class MoodSerializer(serializers.Serializer[Any]):
    valence = UnitField(help_text="from sad (0) to cheerful (1), as Spotify defines it")
    energy = UnitField(help_text="from calm (0) to intense (1), as Spotify defines it")
    spread = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        min_length=2,
        max_length=2,
        help_text="covariance of (valence, energy): how unsure the point is",
    )
    word = serializers.CharField(
        help_text="the mood in English words for people, such as 'calm, perhaps a little quiet',"
        " 'balanced' or 'hard to tell'; read the numbers in programs, the wording may change"
    )
    certainty = serializers.ChoiceField(
        choices=CERTAINTIES,
        help_text="certain: set by hand; high: at least 85 % of the distribution is on the side"
        " that the word names, or near the middle for 'balanced'; medium: less, or only 'perhaps a"
        " little'; low: the mood is hard to tell",
    )


class MomentSerializer(serializers.Serializer[Any]):
    at = serializers.FloatField(help_text="seconds from the beginning of the video")
    valence = UnitField()
    energy = UnitField()


class StorySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Story.Status.values)
    error = serializers.CharField(
        allow_null=True, help_text="in words: why it failed, or why it waits longer than usual"
    )
    photo = serializers.URLField(help_text="of a video, a frame of it")
    video = serializers.URLField(
        allow_null=True, help_text="null where the story is a photo, or `video_status` isn't ready"
    )
    video_status = serializers.ChoiceField(
        choices=VIDEO_STATUSES,
        allow_null=True,
        help_text="preparing: it's encoded anew, in minutes; failed: only its poster stays;"
        " null where the story is a photo",
    )
    caption = serializers.CharField(allow_blank=True)
    tags = TagsSerializer(allow_null=True, help_text="null until ready")
    mood = MoodSerializer(allow_null=True, help_text="null until ready")
    moments = MomentSerializer(many=True, help_text="how the mood of a video goes; else empty")
    suggestions = SuggestionSerializer(many=True)
    chosen = serializers.UUIDField(allow_null=True, help_text="the track saved with the story")
    created_at = serializers.DateTimeField()


class CaptionField(serializers.CharField):
    """Line breaks count as one character, although multipart forms send two."""

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).replace("\r\n", "\n")


class UploadSerializer(serializers.Serializer[Any]):
    photo = serializers.FileField(
        allow_empty_file=True,
        help_text=(
            f"a photo ({PHOTO.names}) up to {PHOTO.megabytes} MB and {PHOTO.resolution}, or a video"
            f" ({VIDEO.names}) up to {VIDEO.max_seconds} seconds, {VIDEO.megabytes} MB and"
            f" {VIDEO.resolution}; a video is stored without its sound"
        ),
    )
    caption = CaptionField(required=False, allow_blank=True, default="", max_length=MAX_CAPTION)


class EmotionCorrectionSerializer(serializers.Serializer[Any]):
    label = serializers.ChoiceField(choices=EMOTIONS, allow_null=True)  # type: ignore[assignment]


class ActionCorrectionSerializer(serializers.Serializer[Any]):
    label = serializers.ChoiceField(choices=ACTIONS, allow_null=True)  # type: ignore[assignment]


class TagsCorrectionSerializer(serializers.Serializer[Any]):
    emotion = EmotionCorrectionSerializer(required=False)
    action = ActionCorrectionSerializer(required=False)


class PointSerializer(serializers.Serializer[Any]):
    valence = UnitField()
    energy = UnitField()


class CorrectionSerializer(serializers.Serializer[Any]):
    """A partial story; a label of null means no emotion or action."""

    tags = TagsCorrectionSerializer(required=False)
    mood = PointSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The correction, as arguments of services.correct_story."""
        changes = {
            kind: tag["label"] or NONE for kind, tag in (attrs.get("tags") or {}).items() if tag
        }
        if mood := attrs.get("mood"):
            changes["mood"] = (mood["valence"], mood["energy"])
        if not changes:
            raise serializers.ValidationError(
                "There is nothing to correct: send tags.emotion, tags.action or mood."
            )
        return changes


class StoryMusicSerializer(serializers.Serializer[Any]):
    """The tuning of a story's music; a change may omit any field."""

    steering = UnitField(
        required=False,
        help_text="where the music goes: 0 matches the mood, 0.5 lifts it, 1 is its opposite",
    )
    learns = serializers.BooleanField(
        required=False, help_text="whether anything is learned from what is saved with the story"
    )
    music = serializers.ChoiceField(
        choices=[scope.value for scope in MusicScope],
        required=False,
        help_text="mine: only from your own library; new: nothing that you have; mix: both",
    )

    def validate_music(self, value: str) -> MusicScope:
        return MusicScope(value)


class ChoiceSerializer(serializers.Serializer[Any]):
    """A track of the catalogue by `track_id`, or one of Spotify's search by `spotify_id`."""

    track_id = serializers.UUIDField(required=False)
    spotify_id = serializers.RegexField(
        rf"^{SPOTIFY_ID.pattern}\Z", required=False, write_only=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"track_id": ["Send track_id or spotify_id."]})
        return attrs


def present_stories(stories: Sequence[Story], request: Request) -> list[dict[str, Any]]:
    """Stories as StorySerializer describes them, with one query for all their lists and choices.

    A pass through the serializer would change nothing and take longer than all else together.
    """
    ids = [story.pk for story in stories]
    suggestions, chosen = present_suggestions(ids), chosen_tracks(ids)
    return [
        {
            **_own_facts(story, request),
            "suggestions": suggestions.get(story.pk, []),
            "chosen": str(chosen[story.pk]) if story.pk in chosen else None,
        }
        for story in stories
    ]


def _own_facts(story: Story, request: Request) -> dict[str, Any]:
    return {
        "id": str(story.pk),
        "status": story.status,
        "error": story.error or None,
        "photo": request.build_absolute_uri(reverse("stories:photo", args=[story.pk])),
        "video": request.build_absolute_uri(reverse("stories:video", args=[story.pk]))
        if playable_video_of(story)
        else None,
        "video_status": video_status(story),
        "caption": story.caption,
        "tags": effective_tags(story),
        "mood": described_mood(story),
        "moments": moments_of(story),
        "created_at": story.created_at,
    }
