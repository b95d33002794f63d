"""Export of a person's stories, and what of Spotify goes with a permission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.db.models import Model
from django.db.models.fields.files import FieldFile

from accounts.models import User
from accounts.spotify.scopes import Purpose
from stories import selectors
from stories.models import (
    Analysis,
    ModelEvent,
    ModelVersion,
    Photo,
    Review,
    ReviewItem,
    ShadowDifference,
    SpotifyPlaylist,
    SpotifySave,
    Story,
    SurveyAnswer,
    TagEvent,
    Video,
)
from stories.saving.services import forget_saves, withdraw_saving
from stories.services.lost_lists import rank_lost_lists

# Every column is in one of these two tables; a test holds new ones to it.
EXPORTED: dict[type[Model], tuple[str, ...]] = {
    Story: ("id", "status", "caption", "error", "idempotency_key", "created_at", "ready_at"),
    Photo: ("file", "width", "height"),
    Video: ("file", "seconds", "error"),
    Analysis: (
        *("emotion", "emotion_label", "emotion_set", "action", "action_label", "intensity"),
        *("caption", "caption_mood", "scene", "faces", "moments", "versions", "created_at"),
        *("corrected_emotion", "corrected_action"),
        *("mood_valence", "mood_energy", "mood_spread", "mood_set_by_hand"),
    ),
    TagEvent: ("source", "tag", "before", "after", "created_at"),
    Review: (
        *("reason", "answers", "predicted", "versions", "note", "seconds", "created_at"),
        *("undone_at", "blind", "bulk"),
    ),
    ReviewItem: ("reason", "versions", "status", "created_at"),
    ShadowDifference: ("serving", "shadow", "created_at"),
    ModelEvent: ("name", "version", "action", "reason", "created_at"),
    ModelVersion: (),
    SpotifySave: ("spotify_id", "wanted", "state", "error", "asked_at"),
    SpotifyPlaylist: ("key", "name", "spotify_id"),
    SurveyAnswer: ("question", "level", "answered_at"),
}
_KEY = "means nothing elsewhere"
_THEIRS, _NESTED = "the person whose export it is", "stands inside its story"
_NAMELESS = "reviewers stay without a name"
_QUEUE = "how far the work is, not about the person"
WITHHELD: dict[type[Model], dict[str, str]] = {
    Story: {
        "user": _THEIRS,
        "upload_digest": "a checksum of what was uploaded",
        **dict.fromkeys(("stage", "failed_stage", "claim", "claimed_at"), _QUEUE),
        **dict.fromkeys(("attempts", "enqueued_at"), _QUEUE),
    },
    Photo: {"story": _NESTED, "thumbnail": "a smaller copy of the photo"},
    Video: {
        "story": _NESTED,
        "source": "the upload as it came, until it is encoded anew; served to nobody",
        **dict.fromkeys(("claim", "claimed_at", "attempts"), _QUEUE),
    },
    Analysis: {
        "story": _NESTED,
        **dict.fromkeys(("outdated", "audit_draw", "stage_seconds"), _QUEUE),
    },
    TagEvent: {"id": _KEY, "story": _NESTED, "actor": _NAMELESS},
    Review: {"id": _KEY, "story": _NESTED, "item": _KEY, "reviewer": _NAMELESS},
    ReviewItem: {
        **{"id": _KEY, "story": _NESTED, "first": _KEY, "versions_digest": _KEY},
        "expected": "the answer to a blind check, which reviewers may not know",
        "doubts": "what reviewers check about each other",
        **dict.fromkeys(("priority", "inclusion", "leased_by", "leased_until"), _QUEUE),
    },
    ShadowDifference: {"id": _KEY, "story": _NESTED, "version": _KEY},
    ModelEvent: {"id": _KEY, "actor": _THEIRS},
    ModelVersion: {
        field.name: "about a model; what the person did with it stands in the events"
        for field in ModelVersion._meta.concrete_fields
    },
    SpotifySave: {
        **{"id": _KEY, "user": _THEIRS, "playlist": "stands inside it by name"},
        **dict.fromkeys(("needs_permission", "due_at", "attempts"), _QUEUE),
        **dict.fromkeys(("claim", "claimed_at"), _QUEUE),
    },
    SpotifyPlaylist: {"id": _KEY, "user": _THEIRS, "claimed_at": _QUEUE},
    SurveyAnswer: {"id": _KEY, "user": _THEIRS},
}


def export_stories(user: User) -> Iterator[tuple[str, bytes | BinaryIO]]:
    """What is stored and shown of every story, the survey, and every photo and video under the
    name of its story."""
    about = ("tag_events", "reviews", "review_items", "shadow_differences")
    stories = list(selectors.history(user).prefetch_related(*about))
    yield "stories.json", _json([_told(story) for story in stories])
    answers = SurveyAnswer.objects.filter(user=user)
    yield "survey.json", _json({answer.question: answer.level for answer in answers})
    answered = {answer.question: answer.answered_at.isoformat() for answer in answers}
    yield "survey_dates.json", _json(answered)
    made = Review.objects.filter(reviewer=user)
    yield "reviews_made.json", _json([_made(review) for review in made])
    done = ModelEvent.objects.filter(actor=user)
    yield "model_events.json", _json([_columns(event) for event in done])
    saves = SpotifySave.objects.filter(user=user).select_related("playlist")
    yield "spotify_saves.json", _json([{**_columns(s), "to": s.place} for s in saves])
    playlists = SpotifyPlaylist.objects.filter(user=user)
    yield "spotify_playlists.json", _json([_columns(playlist) for playlist in playlists])
    for story in stories:
        yield from _file(_photo_name(story), story.photo.file)
        if video := selectors.playable_video_of(story):
            yield from _file(_video_name(video), video.file)


def _file(name: str, stored: FieldFile) -> Iterator[tuple[str, BinaryIO]]:
    try:
        file = stored.open("rb")
    except FileNotFoundError:  # the rest is still theirs
        return
    with file:
        yield name, cast("BinaryIO", file)


def _json(content: list[dict[str, Any]] | dict[str, str]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _photo_name(story: Story) -> str:
    return f"photos/{story.pk}.jpg"


def _video_name(video: Video) -> str:
    return f"videos/{video.story_id}.{video.kind}"


def _told(story: Story) -> dict[str, Any]:
    video, analysis = selectors.video_of(story), selectors.analysis_of(story)
    return {
        **_columns(story),
        "photo": _photo_name(story),
        "video": _video_name(video) if video and video.file else None,
        "tags": selectors.effective_tags(story),
        "mood": selectors.described_mood(story),
        "moments": selectors.moments_of(story),
        "tag_events": [_columns(event) for event in story.tag_events.all()],
        "reviews": [_columns(review) for review in story.reviews.all()],
        "review_items": [_columns(item) for item in story.review_items.all()],
        "shadow_differences": [_columns(one) for one in story.shadow_differences.all()],
        # The output of the models, even where it was corrected, and the corrections.
        "analysis": _columns(analysis) if analysis else None,
        "photo_details": _columns(story.photo),
        "video_details": _columns(video) if video else None,
    }


def _made(review: Review) -> dict[str, Any]:
    """What the person answered as a reviewer, without what the models said of others' photos."""
    hidden = ("predicted", "versions")
    return {name: value for name, value in _columns(review).items() if name not in hidden}


def _columns(row: Model) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in EXPORTED[type(row)] if name != "file"}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def erase_spotify(user: User) -> None:
    """Forget what was saved at Spotify, and give new music to stories that had only music of it."""
    forget_saves(user)
    rank_lost_lists(user)


def withdraw_spotify(user: User, purpose: Purpose) -> None:
    """Forget what was kept for a purpose that is taken back."""
    withdraw_saving(user, purpose)
    if purpose == Purpose.LIBRARY:
        rank_lost_lists(user)
