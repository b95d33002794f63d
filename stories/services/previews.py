"""Suggestions for a photo or video, end to end, without storing anything."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import transaction
from PIL import Image

from accounts.models import User
from ml.mood import MoodTarget
from ml.video import sample
from recommender.models import Suggestion
from recommender.services import suggest_tracks
from stories.models import Analysis, Story
from stories.selectors import effective_tags
from stories.services.analysis import analyse_media, analysis_fields
from stories.services.uploads import read_upload
from stories.uploads.photos import Upload


@dataclass(frozen=True)
class Preview:
    tags: dict[str, Any]
    mood: MoodTarget
    suggestions: list[Suggestion]


def preview_suggestions(
    *,
    upload: Upload,
    caption: str = "",
    n: int = 10,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> Preview:
    """Analyse a photo or video and suggest tracks as for a new user.

    Loads the models, so never call it in a web process. Raises UploadError.
    """
    with read_upload(upload) as clean, Image.open(io.BytesIO(clean.photo.jpeg)) as photo:
        frames = sample(clean.video.file, clean.video.kind) if clean.video else None
        seen = analyse_media(photo, frames, caption, on_stage=on_stage)
    tags = effective_tags(Analysis(story=Story(), **analysis_fields(seen)).story) or {}
    return Preview(tags, seen.mood, _rank_for_a_stranger(seen.mood, n))


def _rank_for_a_stranger(mood: MoodTarget, n: int) -> list[Suggestion]:
    """What was shown to nobody belongs in no log: the person and the list are rolled back."""
    with transaction.atomic():
        stranger = User.objects.create_user()
        suggestions = suggest_tracks(user=stranger, story_id=uuid4(), mood=mood, n=n)
        transaction.set_rollback(True)
    return suggestions
