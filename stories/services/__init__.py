"""Services that create, change and delete stories."""

from stories.services.analysis import AnalysisInterruptedError, analyse_story
from stories.services.choices import remove_choice, save_choice, save_spotify_choice
from stories.services.consent import erase_faces, refresh_outdated, send_refresh
from stories.services.corrections import correct_story, suggest_again, tune_story
from stories.services.deletion import delete_stories_of, delete_story
from stories.services.media_sweep import sweep_media
from stories.services.previews import Preview, preview_suggestions
from stories.services.queue import (
    enqueue_story,
    recover_stale_stories,
    release_story,
    retry_story,
)
from stories.services.uploads import create_story
from stories.services.videos import send_waiting_videos, transcode_next_video

__all__ = [
    "AnalysisInterruptedError",
    "Preview",
    "analyse_story",
    "correct_story",
    "create_story",
    "delete_stories_of",
    "delete_story",
    "enqueue_story",
    "erase_faces",
    "preview_suggestions",
    "recover_stale_stories",
    "refresh_outdated",
    "release_story",
    "remove_choice",
    "retry_story",
    "save_choice",
    "save_spotify_choice",
    "send_refresh",
    "send_waiting_videos",
    "suggest_again",
    "sweep_media",
    "transcode_next_video",
    "tune_story",
]
