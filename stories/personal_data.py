"""What stories know about a person: handed over on request, erased with the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from accounts.models import User
from stories import selectors
from stories.models import Story
from stories.survey.selectors import answers_of


def export_stories(user: User) -> Iterator[tuple[str, bytes | BinaryIO]]:
    """stories.json, survey.json and every photo under the name of its story."""
    stories = list(selectors.history(user).prefetch_related("corrections"))
    yield "stories.json", _json([_told(story) for story in stories])
    yield "survey.json", _json(answers_of(user))
    for story in stories:
        try:
            with story.photo.file.open("rb") as file:
                photo = file.read()
        except FileNotFoundError:  # the rest is still theirs
            continue
        yield _photo_name(story), photo


def _json(told: list[dict[str, Any]] | dict[str, str]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def _photo_name(story: Story) -> str:
    return f"photos/{story.pk}.jpg"


def _told(story: Story) -> dict[str, Any]:
    mood = selectors.mood_of(story)
    return {
        "id": str(story.pk),
        "created_at": story.created_at.isoformat(),
        "status": story.status,
        "caption": story.caption,
        "photo": _photo_name(story),
        "tags": selectors.effective_tags(story),
        "mood": mood.to_json() if mood else None,
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
