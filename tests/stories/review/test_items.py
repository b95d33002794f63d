"""Which stories wait in which queue."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from ml.labels import ACTIONS
from ml.mood.fusion import CONTRADICTS
from ml.review.label_errors import LEAST
from stories import services as story_services
from stories import tasks
from stories.models import Analysis, Reason, Review, ReviewItem, Story
from stories.review.errors import UnknownAnswerError
from stories.review.services import (
    add_agreed_as_gold,
    add_gold,
    backfill_items,
    erase_reviewed_faces,
    queue_label_errors,
    queue_story,
    recount_disagreement,
    withdraw_items,
)
from tests.factories import (
    certain,
    make_ready_story,
    make_review,
    make_review_item,
    make_user,
)
from tests.stories.conftest import FakeModels

pytestmark = pytest.mark.django_db


@pytest.fixture
def sharer(db: None) -> User:
    return make_user(improve_consent=True)


def queues(story: Story) -> list[str]:
    return sorted(item.reason for item in ReviewItem.objects.filter(story=story))


def test_a_new_analysis_is_drawn_for_the_audit_with_its_share(
    sharer: User, models: FakeModels, settings: Any
) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 1.0
    story = make_ready_story(sharer)
    Story.objects.filter(pk=story.pk).update(status="queued")

    story_services.analyse_story(story_id=story.pk)

    audit = ReviewItem.objects.get(story=story, reason=Reason.AUDIT)
    assert audit.inclusion == 1.0
    assert 0.0 <= audit.priority < 1.0
    assert audit.versions == Analysis.objects.get(story=story).versions


def test_nothing_of_somebody_who_did_not_agree_is_queued(
    user: User, models: FakeModels, settings: Any
) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 1.0
    story = make_ready_story(user)
    Story.objects.filter(pk=story.pk).update(status="queued")

    story_services.analyse_story(story_id=story.pk)
    story_services.correct_story(story=story, user=user, emotion="sad")

    assert not ReviewItem.objects.exists()


def test_the_audit_is_the_stories_below_the_share_whatever_the_models_say(
    sharer: User, settings: Any
) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 0.25
    stories = [make_ready_story(sharer) for _ in range(4)]
    for story, draw in zip(stories, (0.0, 0.24, 0.25, 0.9), strict=True):
        Analysis.objects.filter(story=story).update(audit_draw=draw)

    backfill_items(user_id=sharer.pk)

    audit = ReviewItem.objects.filter(reason=Reason.AUDIT)
    drawn = {item.story_id: item for item in audit}
    assert set(drawn) == {story.pk for story in stories[:2]}
    assert {item.inclusion for item in audit} == {0.25}


def test_after_the_share_was_raised_earlier_draws_weigh_as_much_as_the_others(
    sharer: User, settings: Any
) -> None:
    for draw in (0.01, 0.07):
        Analysis.objects.filter(story=make_ready_story(sharer)).update(audit_draw=draw)

    for share in (0.05, 0.1):
        settings.STORIES_REVIEW_AUDIT_SHARE = share
        backfill_items(user_id=sharer.pk)

    audit = ReviewItem.objects.filter(reason=Reason.AUDIT)
    assert list(audit.values_list("inclusion", flat=True)) == [0.1, 0.1]


def test_every_analysis_draws_a_number_of_its_own(sharer: User) -> None:
    draws = [make_ready_story(sharer).analysis.audit_draw for _ in range(3)]
    assert len(set(draws)) == 3
    assert all(0 <= draw < 1 for draw in draws)


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({}, []),
        ({"action": certain(ACTIONS, "running", 0.2)}, [Reason.UNCERTAIN]),
        ({"emotion_label": "uncertain"}, [Reason.UNCERTAIN]),
        (
            {"caption_mood": {"mean": [0.05, 0.1], "covariance": [[0.001, 0], [0, 0.001]]}},
            [Reason.DISAGREEMENT],
        ),
        ({"corrected_emotion": "sad"}, [Reason.OVERRIDDEN]),
        ({"mood_set_by_hand": True}, [Reason.OVERRIDDEN]),
    ],
)
def test_a_story_waits_where_its_analysis_asks_for_it(
    sharer: User, fields: dict[str, Any], reasons: list[str]
) -> None:
    story = make_ready_story(sharer)
    Analysis.objects.filter(story=story).update(**fields)

    for _ in range(2):
        queue_story(analysis=Analysis.objects.get(story=story))

    assert queues(story) == reasons


def test_the_less_certain_comes_first(sharer: User) -> None:
    for share in (0.2, 0.12):
        story = make_ready_story(sharer)
        Analysis.objects.filter(story=story).update(action=certain(ACTIONS, "running", share))
        queue_story(analysis=Analysis.objects.get(story=story))

    priorities = ReviewItem.objects.order_by("created_at").values_list("priority", flat=True)
    assert priorities[0] < priorities[1]


def test_items_measured_in_standard_deviations_are_brought_to_the_measure_of_today(
    sharer: User,
) -> None:
    apart = {"caption_mood": {"mean": [0.05, 0.1], "covariance": [[0.001, 0], [0, 0.001]]}}
    agrees, contradicts, new = (make_ready_story(sharer) for _ in range(3))
    Analysis.objects.filter(story__in=[contradicts, new]).update(**apart)
    queue_story(analysis=Analysis.objects.get(story=new))
    for story, deviations in ((agrees, 9.0), (contradicts, 2.5)):
        make_review_item(story, reason=Reason.DISAGREEMENT, priority=deviations)

    assert recount_disagreement() == 2
    assert recount_disagreement() == 0

    priorities = dict(ReviewItem.objects.values_list("story", "priority"))
    assert priorities[agrees.pk] < CONTRADICTS <= priorities[contradicts.pk] == priorities[new.pk]


def test_a_tag_that_the_owner_changes_is_queued_once(sharer: User) -> None:
    story = make_ready_story(sharer)

    story_services.correct_story(story=story, user=sharer, emotion="sad")
    story_services.correct_story(story=story, user=sharer, action="dancing")

    assert queues(story) == [Reason.OVERRIDDEN]


def test_backfilling_does_nothing_for_those_who_no_longer_agree(user: User, settings: Any) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 1.0
    make_ready_story(user)

    assert backfill_items(user_id=user.pk) == 0
    assert backfill_items(user_id=0) == 0
    assert not ReviewItem.objects.exists()


def test_the_command_fills_the_queues_of_everybody_who_agreed(sharer: User, settings: Any) -> None:
    settings.STORIES_REVIEW_AUDIT_SHARE = 1.0
    make_ready_story(sharer), make_ready_story(make_user())
    out = StringIO()

    call_command("fill_review_queues", stdout=out)

    assert "audit: 1 waiting" in out.getvalue()


# --- gold ---


def test_gold_has_to_be_an_answer_that_can_be_given(sharer: User) -> None:
    story = make_ready_story(sharer)

    item = add_gold(story=story, expected={"action": "running"})
    again = add_gold(story=story, expected={"action": "dancing"})

    assert item.pk == again.pk
    assert again.expected == {"action": "dancing"}
    with pytest.raises(UnknownAnswerError):
        add_gold(story=story, expected={"action": "flying"})


def test_what_two_reviewers_answer_alike_becomes_gold(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    answers = [("running", "running"), ("running", "dancing")]
    for one, other in answers:
        first = make_review(answers={"action": one})
        make_review(ReviewItem.objects.get(first=first), answers={"action": other})

    assert add_agreed_as_gold() == 1
    assert add_agreed_as_gold() == 0

    assert [item.expected for item in ReviewItem.objects.filter(reason=Reason.GOLD)] == [
        {"action": "running"}
    ]


def test_answers_of_which_nothing_is_left_become_no_gold(settings: Any) -> None:
    settings.STORIES_REVIEW_SECOND_SHARE = 1.0
    first = make_review(answers={"faces": {"0": "happy"}})
    make_review(ReviewItem.objects.get(first=first), answers={"faces": {"0": "happy"}})
    erase_reviewed_faces(first.story.user)

    assert add_agreed_as_gold() == 0


# --- likely label errors ---


def test_slips_among_the_answers_are_queued_for_another_look(sharer: User) -> None:
    actions = [("running", "sleeping")[number % 2] for number in range(LEAST)]
    stories = Story.objects.bulk_create(Story(user=sharer, status="ready") for _ in actions)
    mood = {"mood_valence": 0.5, "mood_energy": 0.5, "mood_spread": [[0.1, 0], [0, 0.1]]}
    Analysis.objects.bulk_create(Analysis(story=story, **mood) for story in stories)
    for story, action in zip(stories, actions, strict=True):
        slip = story is stories[3]
        item = make_review_item(Story.objects.get(pk=story.pk))
        Review.objects.create(
            **{"item": item, "story": story, "reason": item.reason},
            answers={"action": "running" if slip else action},
            predicted={"action": certain(ACTIONS, action, 0.9)},
        )

    queued = queue_label_errors()

    found = ReviewItem.objects.get(reason=Reason.LABEL_ERROR)
    assert found.story_id == stories[3].pk
    assert found.doubts == ["action"]
    assert found.priority == pytest.approx(1 - 0.1 / 14)
    assert queued == 1
    assert queue_label_errors() == 0


def test_erased_faces_are_no_longer_in_doubt(sharer: User) -> None:
    doubts: list[list[str]] = [["face:0"], ["action", "face:0"], ["action"], []]
    for tags in doubts:
        make_review_item(make_ready_story(sharer), reason=Reason.LABEL_ERROR, doubts=tags)

    erase_reviewed_faces(sharer)

    left = ReviewItem.objects.values_list("doubts", flat=True)
    assert sorted(left) == [[], ["action"], ["action"]]


def test_few_answers_name_no_label_error() -> None:
    make_review(answers={"action": "dancing"})
    assert queue_label_errors() == 0


# --- what people decide ---


def test_a_withdrawn_photo_leaves_the_queues_and_its_figures_stay(sharer: User) -> None:
    story = make_ready_story(sharer)
    done = make_review(make_review_item(story)).item
    gold = make_review_item(story, reason=Reason.GOLD, expected={"action": "running"})
    make_review(gold)
    make_review_item(story, reason=Reason.UNCERTAIN)
    others = make_review_item()

    assert withdraw_items(user=sharer) == 2

    states = Counter(ReviewItem.objects.values_list("pk", "status"))
    assert set(states) == {(done.pk, "done"), (gold.pk, "withdrawn"), (others.pk, "open")}


def test_the_nightly_task_survives_an_empty_site() -> None:
    tasks.fill_review_queues()
    assert not ReviewItem.objects.exists()
