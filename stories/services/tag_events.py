"""The history of tags: append to it, and erase what was read from faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from stories.models import Analysis, Story, TagEvent

ABOUT_FACES = ("emotion", "mood", "quadrant", "missed_face", "no_face")


def append_tag_events(
    *,
    story: Story,
    actor: User | None,
    source: TagEvent.Source,
    changes: Mapping[str, tuple[Any, Any]],
) -> list[TagEvent]:
    """Append changes, {tag: (before, after)}, to the history of a story's tags."""
    return TagEvent.objects.bulk_create(
        TagEvent(story=story, actor=actor, source=source, tag=tag, before=before, after=after)
        for tag, (before, after) in changes.items()
    )


def log_new_labels(*, story: Story, earlier: Analysis | None, later: Analysis) -> None:
    """Append the labels that a later analysis of the story changed; the first isn't logged."""
    if earlier is None:
        return
    labels = {
        kind: (getattr(earlier, f"{kind}_label"), getattr(later, f"{kind}_label"))
        for kind in ("emotion", "action")
    }
    changes = {kind: both for kind, both in labels.items() if both[0] != both[1]}
    append_tag_events(story=story, actor=None, source=TagEvent.Source.MODEL, changes=changes)


@transaction.atomic
def erase_face_events(analyses: QuerySet[Analysis]) -> None:
    """Erase from the history of these stories what was read from faces.

    What the owner set stays; what stood there before came from a model, or is the `after` of
    another event.
    """
    events = TagEvent.objects.filter(story__analysis__in=analyses)
    owners = Q(source=TagEvent.Source.OWNER)
    about_faces = Q(tag__in=ABOUT_FACES) | Q(tag__startswith="face:")
    with connection.cursor() as cursor:
        # The trigger lets nothing else be changed, and only until this transaction ends.
        cursor.execute("SET LOCAL storify.erasing_faces = 'on'")
        events.filter(about_faces, owners).update(before=None)
        events.filter(about_faces, ~owners).update(before=None, after=None)
        cursor.execute("SET LOCAL storify.erasing_faces = 'off'")
