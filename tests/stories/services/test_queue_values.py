"""When a story counts as unsent, lost or abandoned: boundary values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from stories import services
from stories.errors import StoryNotFailedError
from stories.services.queue import LOST_AFTER, UNSENT_AFTER
from tests.factories import make_story
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db


def ago(span: timedelta, later: float = 0) -> datetime:
    """This long ago, minus some seconds."""
    return timezone.now() - span + timedelta(seconds=later)


STALE_AFTER = timedelta(seconds=settings.STORIES_STALE_AFTER)
HELD: dict[str, Any] = {"status": "analysing", "attempts": 1}


def test_story_is_unsent_once_its_request_has_had_its_time(user: User, broker: FakeQueue) -> None:
    unsent = make_story(user, created_at=ago(UNSENT_AFTER, -2))
    make_story(user, created_at=ago(UNSENT_AFTER, 5))
    assert services.recover_stale_stories() == 1
    assert broker.sent == [unsent.pk]


def test_message_is_lost_when_nobody_worked_on_it_for_long(user: User, broker: FakeQueue) -> None:
    lost = make_story(user, enqueued_at=ago(LOST_AFTER, -5))
    make_story(user, enqueued_at=ago(LOST_AFTER, 30))
    assert services.recover_stale_stories() == 1
    assert broker.sent == [lost.pk]


def test_claim_is_stale_when_its_worker_was_not_heard_of_for_long(
    user: User, broker: FakeQueue
) -> None:
    dead = make_story(
        user, claim=uuid4(), claimed_at=ago(STALE_AFTER, -5), created_at=ago(STALE_AFTER), **HELD
    )
    make_story(
        user, claim=uuid4(), claimed_at=ago(STALE_AFTER, 30), created_at=ago(STALE_AFTER), **HELD
    )
    assert services.recover_stale_stories() == 1
    assert broker.sent == [dead.pk]


def test_as_many_are_counted_as_were_sent_and_the_oldest_go_first(
    user: User, broker: FakeQueue
) -> None:
    newer, older = (make_story(user, created_at=ago(UNSENT_AFTER, -n)) for n in (20, 40))
    assert services.recover_stale_stories() == 2
    assert broker.sent == [older.pk, newer.pk]


@pytest.mark.parametrize("status", ["queued", "analysing", "ready"])
def test_only_a_failed_story_is_tried_again(user: User, broker: FakeQueue, status: str) -> None:
    with pytest.raises(StoryNotFailedError):
        services.retry_story(story=make_story(user, status=status))
