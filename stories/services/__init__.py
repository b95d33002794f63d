"""Everything that changes a story."""

from stories.services.analysing import AnalysisInterruptedError, analyse_story
from stories.services.correcting import correct_story, suggest_again, tune_story
from stories.services.faces import erase_faces, refresh_outdated, send_refresh
from stories.services.keeping import (
    delete_stories_of,
    delete_story,
    remove_choice,
    save_choice,
)
from stories.services.previewing import Preview, preview_suggestions
from stories.services.queueing import (
    enqueue_story,
    recover_stale_stories,
    release_story,
    retry_story,
)
from stories.services.sweeping import sweep_media
from stories.services.uploading import create_story

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
    "send_refresh",
    "suggest_again",
    "sweep_media",
    "tune_story",
]
