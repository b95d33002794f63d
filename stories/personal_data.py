"""What stories know about a person: handed over on request, erased with the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from django.db.models.fields.files import FieldFile

from accounts.models import User
from stories import selectors
from stories.models import Story, Video
from stories.survey.selectors import answers_of


def export_stories(user: User) -> Iterator[tuple[str, bytes | BinaryIO]]:
    """stories.json, survey.json, and every photo and video under the name of its story."""
    stories = list(selectors.history(user).prefetch_related("corrections"))
    yield "stories.json", _json([_told(story) for story in stories])
    yield "survey.json", _json(answers_of(user))
    for story in stories:
        yield from _file(_photo_name(story), story.photo.file)
        if video := selectors.video_of(story):
            yield from _file(_video_name(video), video.file)


def _file(name: str, stored: FieldFile) -> Iterator[tuple[str, BinaryIO]]:
    try:
        file = stored.open("rb")
    except FileNotFoundError:  # the rest is still theirs
        return
    with file:
        yield name, cast("BinaryIO", file)


def _json(told: list[dict[str, Any]] | dict[str, str]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def _photo_name(story: Story) -> str:
    return f"photos/{story.pk}.jpg"


def _video_name(video: Video) -> str:
    return f"videos/{video.story_id}.{video.kind}"


def _told(story: Story) -> dict[str, Any]:
    mood, video = selectors.mood_of(story), selectors.video_of(story)
    return {
        "id": str(story.pk),
        "created_at": story.created_at.isoformat(),
        "status": story.status,
        "caption": story.caption,
        "photo": _photo_name(story),
        "video": _video_name(video) if video else None,
        "tags": selectors.effective_tags(story),
        "mood": mood.to_json() if mood else None,
        "moments": selectors.moments_of(story),
        "corrections": [
            {
                "kind": correction.kind,
                "before": correction.before,
                "after": correction.after,
                "created_at": correction.created_at.isoformat(),
            }
            for correction in story.corrections.all()
        ],
    }
