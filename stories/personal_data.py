"""What stories know about a person: handed over on request, erased with the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from accounts.models import User
from stories import selectors
from stories.models import Story


def export_stories(user: User) -> Iterator[tuple[str, bytes | BinaryIO]]:
    """stories.json and every photo under the name of its story."""
    stories = list(selectors.history(user).prefetch_related("corrections"))
    yield "stories.json", json.dumps([_told(story) for story in stories], indent=2).encode()
    for story in stories:
        with story.photo.file.open("rb") as file:
            yield _photo_name(story), file.read()


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
