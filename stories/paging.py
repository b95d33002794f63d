"""A page of stories and the cursor to the next: a place in time, which deletions do not shift."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from stories.models import Story

PAGE = 12


def page_of(stories: QuerySet[Story], cursor: str) -> tuple[list[Story], str]:
    """The stories after `cursor` ("" is the newest) and the cursor to those after them, or ""."""
    rows = list(_after(stories, cursor)[: PAGE + 1])
    older = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], f"{older.created_at.isoformat()}~{older.pk}" if older else ""


def _after(stories: QuerySet[Story], cursor: str) -> QuerySet[Story]:
    """An unreadable cursor starts at the newest story."""
    when, _, story_id = cursor.partition("~")
    try:
        created_at, pk = datetime.fromisoformat(when), UUID(story_id)
    except ValueError:
        return stories
    if created_at.tzinfo is None:
        return stories
    return stories.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=pk))
