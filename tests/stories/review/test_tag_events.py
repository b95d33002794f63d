"""The history of tags is append-only, in the database as well."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.services import delete_account, record_faces_consent
from stories import services
from stories.models import Analysis, Story, TagEvent
from stories.services.tag_events import erase_face_events
from tests.factories import make_ready_story, make_review, make_review_item, make_user
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(db: None) -> TagEvent:
    story = make_ready_story()
    services.correct_story(story=story, user=story.user, action="dancing")
    return TagEvent.objects.get()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stories_tagevent SET after = '\"sitting\"'",
        "UPDATE stories_tagevent SET before = NULL",
        "UPDATE stories_tagevent SET created_at = now() - interval '1 day'",
        "UPDATE stories_tagevent SET source = 'model'",
        "UPDATE stories_tagevent SET actor_id = NULL",
        "DELETE FROM stories_tagevent",
        # What erasing faces needs is no way round.
        "SET LOCAL storify.erasing_faces = 'on'; UPDATE stories_tagevent SET source = 'model'",
        "SET LOCAL storify.erasing_faces = 'on'; UPDATE stories_tagevent SET after = '\"sad\"'",
        "SET LOCAL storify.erasing_faces = 'on'; DELETE FROM stories_tagevent",
    ],
)
def test_what_happened_cannot_be_changed_or_deleted(event: TagEvent, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    unchanged = TagEvent.objects.get()
    assert (unchanged.before, unchanged.after) == (event.before, "dancing")


def test_a_story_takes_its_history_with_it_however_it_is_deleted(event: TagEvent) -> None:
    Story.objects.filter(pk=event.story_id).delete()

    assert not TagEvent.objects.exists()


def test_a_person_takes_the_history_of_their_stories_with_them(event: TagEvent) -> None:
    kept = make_review(answers={"action": "dancing"})

    delete_account(user=event.story.user)

    assert [one.story_id for one in TagEvent.objects.all()] == [kept.story_id]


def test_a_later_analysis_is_logged_and_the_first_one_is_not(models: Any) -> None:
    story = make_ready_story()
    story.analysis.action_label = "sitting"
    story.analysis.save()
    Story.objects.filter(pk=story.pk).update(status="queued")

    services.analyse_story(story_id=story.pk)

    changed = {one.tag: (one.source, one.before) for one in TagEvent.objects.all()}
    assert changed["action"] == ("model", "sitting")


def test_withdrawn_faces_leave_the_history_and_the_reviews(broker: FakeQueue) -> None:
    user = make_user(improve_consent=True)
    item = make_review_item(make_ready_story(user))
    review = make_review(item, answers={"faces": {"0": "sad"}, "action": "dancing"})

    record_faces_consent(user=user, agreed=False)

    said = {one.tag: (one.before, one.after) for one in TagEvent.objects.all()}
    assert said == {"face:0": (None, None), "action": ("running", "dancing")}
    review.refresh_from_db()
    assert review.answers == {"action": "dancing"}
    assert "faces" not in review.predicted
    assert "happy" not in str(review.predicted)


def test_the_way_for_faces_is_shut_behind_them(event: TagEvent) -> None:
    erase_face_events(Analysis.objects.all())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        TagEvent.objects.update(before=None)
