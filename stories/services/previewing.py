"""The whole way from a photo to tracks without keeping anything."""

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
from recommender.models import Suggestion
from recommender.services import suggest_tracks
from stories.models import Analysis, Story
from stories.photos import Upload, read_photo
from stories.selectors import effective_tags
from stories.services.analysing import analysis_fields
from stories.survey.selectors import action_levels


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
    """Tags, mood and tracks for a photo, for somebody of whom nothing is known.

    Loads the models, so it is nothing for a web process. Raises PhotoError.
    """
    from ml.analysis import analyse

    clean = read_photo(upload)
    with Image.open(io.BytesIO(clean.jpeg)) as photo:
        seen = analyse(photo, caption, on_stage=on_stage, levels=action_levels())
    tags = effective_tags(Analysis(story=Story(), **analysis_fields(seen)).story) or {}
    return Preview(tags, seen.mood, _rank_for_a_stranger(seen.mood, n))


def _rank_for_a_stranger(mood: MoodTarget, n: int) -> list[Suggestion]:
    """What was shown to nobody belongs in no log: the person and the list are rolled back."""
    with transaction.atomic():
        stranger = User.objects.create_user()
        suggestions = suggest_tracks(user=stranger, story_id=uuid4(), mood=mood, n=n)
        transaction.set_rollback(True)
    return suggestions
