"""The current lists of stories as SuggestionSerializer describes them, read from their columns.

A page of the history has two hundred suggestions. Through models and serializers they take most of
a request; this takes much less.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.urls import reverse

from recommender.api.serializers import TrackSerializer
from recommender.engine.reasons import reason_sentences
from recommender.models import Track, spotify_id_of
from recommender.selectors import listed_suggestions

_DERIVED = {"audio", "spotify_id"}
_TRACK = tuple(name for name in TrackSerializer.Meta.fields if name not in _DERIVED)
_COLUMNS = (
    *("story_id", "id", "rank", "score", "terms", "feedback", "steering", "track__source_id"),
    *(f"track__{name}" for name in _TRACK),
)


def present_suggestions(story_ids: Iterable[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The current list of each of these stories that has one, best first, in one query."""
    by_story: dict[UUID, list[dict[str, Any]]] = {}
    for row in listed_suggestions(story_ids).values_list(*_COLUMNS):
        story_id, pk, rank, score, terms, feedback, steering, source_id, *track = row
        shown = _track(source_id, dict(zip(_TRACK, track, strict=True)))
        reasons = reason_sentences(
            terms, valence=shown["valence"], energy=shown["energy"], steering=steering
        )
        by_story.setdefault(story_id, []).append(
            {
                "id": str(pk),
                "rank": rank,
                "track": shown,
                "score": score,
                "terms": terms,
                "reasons": reasons,
                "feedback": feedback,
            }
        )
    return by_story


def _track(source_id: str, columns: dict[str, Any]) -> dict[str, Any]:
    pk, source = columns["id"], columns["source"]
    return {
        **columns,
        "id": str(pk),
        "intensity": columns["intensity"] or None,
        "spotify_id": spotify_id_of(source, source_id),
        "audio": _audio(pk) if source == Track.Source.DEMO else None,
    }


@lru_cache(maxsize=1000)
def _audio(track_id: UUID) -> str:
    return reverse("recommender:audio", args=[track_id])
