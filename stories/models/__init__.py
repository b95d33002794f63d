"""Stories with their media, analyses, tag events and reviews, answers to the survey, and the
registry of models, saves to Spotify."""

from stories.models.analyses import Analysis
from stories.models.model_registry import ModelEvent, ModelVersion, ShadowDifference
from stories.models.reviews import BLIND, Reason, Review, ReviewItem
from stories.models.spotify_saves import SpotifyPlaylist, SpotifySave
from stories.models.stories import (
    MAX_CAPTION,
    Photo,
    Story,
    Video,
    photo_path,
    thumbnail_path,
    video_path,
)
from stories.models.survey import MUSIC, MUSIC_LEVELS, SurveyAnswer
from stories.models.tag_events import TagEvent

__all__ = [
    "BLIND",
    "MAX_CAPTION",
    "MUSIC",
    "MUSIC_LEVELS",
    "Analysis",
    "ModelEvent",
    "ModelVersion",
    "Photo",
    "Reason",
    "Review",
    "ReviewItem",
    "ShadowDifference",
    "SpotifyPlaylist",
    "SpotifySave",
    "Story",
    "SurveyAnswer",
    "TagEvent",
    "Video",
    "photo_path",
    "thumbnail_path",
    "video_path",
]
