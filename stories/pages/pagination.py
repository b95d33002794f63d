"""Keyset pagination of stories by time, which deletions don't shift."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from stories.models import Story

PAGE = 12


def page_of(stories: QuerySet[Story], cursor: str) -> tuple[list[Story], str]:
    """The stories after `cursor` ("" is the newest) and the cursor to those after them, or ""."""
    rows = list(_after(stories, cursor)[: PAGE + 1])
    older = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], f"{older.created_at.isoformat()}~{older.pk}" if older else ""


def _after(stories: QuerySet[Story], cursor: str) -> QuerySet[Story]:
    """The stories after the cursor. Raises Http404 if it's invalid."""
    if not cursor:
        return stories
    when, _, story_id = cursor.partition("~")
    try:
        created_at, pk = moment(when), UUID(story_id)
    except ValueError as error:
        raise Http404 from error
    return stories.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=pk))


def moment(text: str) -> datetime:
    """Parse a time with a time zone, to UTC. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(text)
    try:
        return parsed.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
