"""Stories with their media, analyses, tag events and reviews, and answers to the survey."""

from stories.models.analyses import Analysis
from stories.models.reviews import BLIND, Reason, Review, ReviewItem
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
    "Photo",
    "Reason",
    "Review",
    "ReviewItem",
    "Story",
    "SurveyAnswer",
    "TagEvent",
    "Video",
    "photo_path",
    "thumbnail_path",
    "video_path",
]
