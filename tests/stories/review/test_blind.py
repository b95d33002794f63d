"""A blind check is answered once, by somebody who hasn't seen the model's tags."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stories.models import Reason, Review, ReviewItem
from stories.review.errors import NothingToUndoError, SeenBeforeError
from stories.review.services import (
    next_item,
    save_review,
    skip_item,
    undo_review,
    unskip_item,
)
from tests.factories import make_review, make_review_item, make_reviewer

pytestmark = pytest.mark.django_db

RUNNING = {"action": "running"}


@pytest.fixture(autouse=True)
def no_chance(settings: Any) -> None:
    settings.STORIES_REVIEW_BLIND_SHARE = settings.STORIES_REVIEW_SECOND_SHARE = 0.0


def gold(of: ReviewItem | None = None) -> ReviewItem:
    return make_review_item(of.story if of else None, reason=Reason.GOLD, expected=RUNNING)


def test_a_blind_check_is_never_undone_because_its_tags_were_shown() -> None:
    reviewer = make_reviewer()
    make_review(gold(), reviewer)

    with pytest.raises(NothingToUndoError):
        undo_review(reviewer=reviewer)

    assert Review.objects.get().undone_at is None


def test_undo_goes_past_a_blind_check_to_the_review_before_it(client: Client) -> None:
    reviewer = make_reviewer()
    before = make_review(reviewer=reviewer)
    blind = make_review(gold(), reviewer)
    client.force_login(reviewer)

    page = client.get("/review/next/").content.decode()
    client.post("/review/undo/")

    assert "A blind check stays" in page
    assert "Undo the one before" in page
    before.refresh_from_db()
    blind.refresh_from_db()
    assert before.undone_at
    assert blind.undone_at is None


@pytest.mark.parametrize("seen", ["reviewed", "undone", "skipped", "on screen"])
def test_who_has_seen_the_tags_is_not_asked_blind_and_refused(seen: str) -> None:
    reviewer, other = make_reviewer(), make_reviewer()
    item = make_review_item()
    next_item(reviewer=reviewer)
    if seen == "skipped":
        skip_item(item=item, reviewer=reviewer)
    elif seen != "on screen":
        save_review(item=item, reviewer=reviewer, answers=RUNNING)
    if seen == "undone":
        undo_review(reviewer=reviewer)
    check = gold(item)

    assert next_item(reviewer=reviewer, besides=[item.pk]) is None
    with pytest.raises(SeenBeforeError):
        save_review(item=check, reviewer=reviewer, answers=RUNNING)

    assert next_item(reviewer=other, besides=[item.pk]) == check


def test_a_skipped_blind_check_may_be_taken_up_again() -> None:
    reviewer, check = make_reviewer(), gold()
    skip_item(item=check, reviewer=reviewer)

    unskip_item(item=check, reviewer=reviewer)

    assert save_review(item=check, reviewer=reviewer, answers=RUNNING).blind
