"""Suggestions for a photo or video without storing anything."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from PIL import Image

from recommender.ranking.listener import get_listener
from recommender.ranking.rank import RankedTrack, rank_tracks
from stories.models import Analysis, Story
from stories.selectors import described_mood, effective_tags
from stories.services.analysis import analyse_media, analysis_fields
from stories.services.uploads import read_upload
from stories.services.videos import sample_frames
from stories.uploads.photos import Upload


@dataclass(frozen=True)
class Preview:
    tags: dict[str, Any]
    mood: dict[str, Any]
    suggestions: list[RankedTrack]


def preview_suggestions(
    *,
    upload: Upload,
    caption: str = "",
    n: int = 10,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> Preview:
    """Return tags, mood and tracks for a photo or video, for a listener without an account.

    Loads the models, so never call it in a web process. Raises UploadError.
    """
    clean = read_upload(upload)
    frames = None if clean.seconds is None else sample_frames(upload)
    with Image.open(io.BytesIO(clean.photo.jpeg)) as photo:
        result = analyse_media(photo, frames, caption, on_stage=on_stage)
    story = Analysis(story=Story(), **analysis_fields(result)).story
    tags, mood = effective_tags(story) or {}, described_mood(story) or {}
    ranking = rank_tracks(listener=get_listener(), story_id=uuid4(), mood=result.mood, n=n)
    return Preview(tags, mood, ranking.tracks)
