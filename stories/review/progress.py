"""Queries for the page of one reviewer: how far they are, and what they may accept in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from ml.labels import ACTIONS, EMOTIONS
from stories.models import BLIND, Reason, Review, ReviewItem
from stories.review.selectors import free_items, leased

# A longer pause than this begins a new session.
PAUSE = timedelta(minutes=30)
# The pace is that of the latest reviews since a short break, so that it says what happens now.
PACE_OVER, BREAK = 20, timedelta(minutes=2)
# Beyond this the page says "more than": counting on would cost more than the figure is worth.
MOST_COUNTED = 1000
# As many as can be looked at before they are accepted.
MOST_IN_BULK = 60


@dataclass(frozen=True)
class Progress:
    """`pace` is in photos a minute, None before there are two."""

    reviewed: int
    waiting: int
    pace: int | None

    @property
    def is_more(self) -> bool:
        """Whether more wait than were counted."""
        return self.waiting > MOST_COUNTED

    @property
    def waiting_shown(self) -> int:
        return min(self.waiting, MOST_COUNTED)


def progress(reviewer: User, reason: str | None) -> Progress:
    """What this reviewer did in this session, and how many photos they could review next."""
    wanted = {reason, *BLIND} if reason else set(Reason.values)
    waiting = free_items(reviewer).filter(reason__in=wanted).order_by()
    times = _session(reviewer)
    return Progress(len(times), waiting[: MOST_COUNTED + 1].count(), _pace(times))


def held_item(reviewer: User, item_id: UUID | None) -> ReviewItem | None:
    """An item that this reviewer holds."""
    if item_id is None:
        return None
    return free_items(reviewer).filter(leased_by=reviewer, pk=item_id).first()


def latest_of(reviewer: User, item: ReviewItem) -> Review | None:
    """The reviewer's latest review of an item, undone or not."""
    return Review.objects.filter(reviewer=reviewer, item=item).order_by("-created_at").first()


def bulk_items(
    reviewer: User, *, queue: str, tag: str = "", confidence: float = 0.0
) -> QuerySet[ReviewItem]:
    """What waits in a queue with this predicted class, from this confidence on.

    `tag` is "emotion:…" or "action:…"; without one, everything that the model named has to be
    that sure. Nothing that anybody has on screen, and no story about which somebody is asked blind:
    the list shows what the model said.
    """
    asked_blind = ReviewItem.objects.filter(
        story=OuterRef("story"), reason__in=BLIND, status=ReviewItem.Status.OPEN
    )
    found = free_items(reviewer).filter(~leased(), ~Exists(asked_blind), reason=queue)
    if tag:
        kind, label = tag.split(":")
        return found.filter(_named(kind, label, confidence))
    if confidence:
        found = found.filter(_sure("emotion", EMOTIONS, confidence))
        found = found.filter(_sure("action", ACTIONS, confidence))
    return found


def _sure(kind: str, labels: Sequence[str], confidence: float) -> Q:
    condition = Q(**{f"story__analysis__{kind}_label": None})
    for label in labels:
        condition |= _named(kind, label, confidence)
    return condition


def _named(kind: str, label: str, confidence: float) -> Q:
    named: dict[str, Any] = {f"story__analysis__{kind}_label": label}
    if confidence:
        named[f"story__analysis__{kind}__{label}__gte"] = confidence
    return Q(**named)


def _session(reviewer: User) -> list[datetime]:
    """When the reviewer answered one by one, newest first, back to their last pause."""
    own = Review.objects.filter(reviewer=reviewer, undone_at=None, bulk=False)
    times = own.order_by("-created_at").values_list("created_at", flat=True)
    return _until_gap([timezone.now(), *times[:MOST_COUNTED]], PAUSE)[1:]


def _pace(times: Sequence[datetime]) -> int | None:
    latest = _until_gap(times[:PACE_OVER], BREAK)
    if len(latest) < 2:
        return None
    minutes = (latest[0] - latest[-1]).total_seconds() / 60
    return round((len(latest) - 1) / minutes) if minutes else None


def _until_gap(times: Sequence[datetime], gap: timedelta) -> list[datetime]:
    """The first of these times, newest first, up to a longer gap."""
    found = list(times[:1])
    for moment in times[1:]:
        if found[-1] - moment > gap:
            break
        found.append(moment)
    return found
