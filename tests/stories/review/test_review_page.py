"""The review page: what it shows, what it saves, and what it says when it can't."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ml.labels import EMOTIONS
from stories.models import Reason, Review, ReviewItem
from stories.review.answers import CHOICES, FACE_ANSWERS, MARKS
from stories.review.presenters import FACE_KEY_ROW, FACE_KEYS, KEYS, MARK_KEYS
from stories.review.progress import progress
from stories.review.services import next_item
from tests.factories import (
    make_ready_story,
    make_ready_video_story,
    make_review,
    make_review_item,
    make_reviewer,
    make_user,
)

pytestmark = pytest.mark.django_db

AGREES = {"face-0": "happy", "action": "running", "quadrant": "energetic_pleasant"}
SCRIPT = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def reviewer(client: Client) -> User:
    user = make_reviewer()
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def no_chance(settings: Any) -> None:
    settings.STORIES_REVIEW_BLIND_SHARE = settings.STORIES_REVIEW_SECOND_SHARE = 0


def answer(client: Client, item: ReviewItem, data: dict[str, Any], **extra: Any) -> Any:
    return client.post(f"/review/{item.pk}/answer/", data, **extra)


def shown(response: Any) -> str:
    return " ".join(response.content.decode().split())


def chosen(page: str) -> list[str]:
    """The values that are ticked, in the order of the page."""
    inputs = [part.partition(">")[0] for part in page.split("<input ")]
    return [
        one.partition('value="')[2].partition('"')[0]
        for one in inputs
        if 'type="radio"' in one and one.endswith(" checked")
    ]


def test_ten_emotions_would_still_have_keys() -> None:
    taken = {key for keys in (MARK_KEYS, *KEYS.values()) for key in keys.values()}
    assert len(FACE_KEY_ROW) >= 10 + len(set(FACE_ANSWERS) - set(EMOTIONS))
    assert not set(FACE_KEY_ROW) & {*taken, "n", "/", "?"}


def test_every_answer_has_a_key_of_its_own() -> None:
    assert FACE_KEYS.keys() == set(FACE_ANSWERS)
    assert MARK_KEYS.keys() == set(MARKS)
    assert {name: set(keys) for name, keys in KEYS.items()} == {
        name: set(answers) for name, answers in CHOICES.items()
    }
    single = [key for keys in (FACE_KEYS, MARK_KEYS, *KEYS.values()) for key in keys.values()]
    single += ["n", "/", "?", "Enter", "Space", "Backspace"]
    assert len(single) == len(set(single))


def test_the_page_shows_the_photo_why_it_is_here_and_the_model_s_tags_ticked(
    client: Client, reviewer: User
) -> None:
    item = make_review_item()

    page = shown(client.get("/review/next/"))

    assert f"/review/{item.pk}/photo.jpg" in page
    assert "Drawn at random" in page
    assert "A day out" in page
    assert '<rect x="6.4" y="9.6" width="19.2" height="19.2"/>' in page
    assert chosen(page)[:2] == ["happy", "running"]
    assert "60%" in page
    assert 'style="' not in page


@pytest.mark.parametrize("reason", [Reason.GOLD, Reason.SECOND_OPINION])
def test_a_blind_check_shows_neither_tags_nor_which_kind_it_is(
    client: Client, reviewer: User, reason: Reason
) -> None:
    first = make_review() if reason == Reason.SECOND_OPINION else None
    expected = None if first else {"action": "running"}
    make_review_item(first.story if first else None, reason=reason, expected=expected, first=first)

    page = shown(client.get("/review/next/"))

    assert chosen(page) == []
    assert "%</span>" not in page
    assert "Blind check" in page
    assert "Accept as shown <kbd>" not in page
    assert "second opinion" not in page.lower()


def test_a_likely_label_error_says_and_marks_which_answers_are_in_doubt(
    client: Client, reviewer: User
) -> None:
    make_review_item(reason="label_error", doubts=["action", "face:0"])

    page = shown(client.get("/review/next/"))

    assert "Please look at face 1 and the action again." in page
    assert page.count('class="tag">In doubt') == 2


def test_an_answer_is_saved_and_the_next_photo_comes(client: Client, reviewer: User) -> None:
    first, second = make_review_item(priority=0.9), make_review_item(priority=0.1)

    response = answer(
        client, first, {"face-0": "sad", "missed_face": "on", "note": "odd", "seconds": "2.5"}
    )

    assert response["Location"] == "/review/next/?queue="
    review = Review.objects.get()
    assert review.answers == {"faces": {"0": "sad"}, "missed_face": True}
    assert (review.note, review.seconds, review.reviewer) == ("odd", 2.5, reviewer)
    page = shown(client.get(response["Location"]))
    assert f"/review/{second.pk}/answer/" in page
    assert "you said sad, a face was missed" in page
    assert "the model had said happy" in page
    assert "<strong>1</strong> reviewed this session" in page


def test_the_script_gets_the_item_after_those_it_has(client: Client, reviewer: User) -> None:
    items = [make_review_item(priority=1 - place / 10) for place in range(4)]
    client.get("/review/next/")

    ahead = client.get(f"/review/next/?besides={items[0].pk}", **SCRIPT)  # type: ignore[arg-type]
    besides = {"besides": [str(items[1].pk), str(items[0].pk), "no id"]}
    saved = answer(client, items[0], {**AGREES, **besides}, **SCRIPT)

    assert f'data-item="{items[1].pk}"' in shown(ahead)
    assert "<html" not in shown(ahead)
    assert f'data-item="{items[2].pk}"' in shown(saved)
    assert "<strong>3</strong> waiting" in shown(saved)


def test_in_a_queue_only_its_photos_come(client: Client, reviewer: User) -> None:
    make_review_item()
    unsure = make_review_item(reason=Reason.UNCERTAIN)

    page = shown(client.get("/review/next/?queue=uncertain"))

    assert f'data-item="{unsure.pk}"' in page
    assert "<strong>1</strong> waiting" in page


@pytest.mark.parametrize("queue", ["gold", "no such"])
def test_an_unknown_queue_leads_back_to_the_list(
    client: Client, reviewer: User, queue: str
) -> None:
    response = client.get(f"/review/next/?queue={queue}", follow=True)
    assert response.redirect_chain[0][0] == "/review/"
    assert "There is no such queue" in shown(response)


def test_nothing_left_is_said(client: Client, reviewer: User) -> None:
    assert "Nothing waits for you" in shown(client.get("/review/next/"))
    assert "Review all queues" in shown(client.get("/review/next/?queue=audit"))


def gone(item: ReviewItem) -> None:
    item.story.delete()


def revoked(item: ReviewItem) -> None:
    User.objects.filter(pk=item.story.user_id).update(improve_consent=False)


def taken(item: ReviewItem) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    ReviewItem.objects.filter(pk=item.pk).update(leased_by=make_reviewer(), leased_until=soon)


def twice(item: ReviewItem) -> None:
    make_review(item, item.leased_by)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (gone, "no longer there"),
        (revoked, "no longer there"),
        (taken, "Somebody else has taken this photo"),
        (twice, "already reviewed"),
    ],
)
@pytest.mark.parametrize("script", [True, False])
def test_a_refused_answer_says_why_and_offers_the_next(
    client: Client, reviewer: User, happens: Any, reason: str, script: bool
) -> None:
    item, other = make_review_item(priority=0.9), make_review_item(priority=0.1)
    client.get("/review/next/")
    item.refresh_from_db()
    happens(item)
    before = Review.objects.count()

    response = answer(client, item, AGREES, follow=True, **(SCRIPT if script else {}))

    assert reason in shown(response)
    assert f'data-item="{other.pk}"' in shown(response)
    assert response.status_code == (409 if script else 200)
    assert Review.objects.count() == before


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "Please answer at least one question"),
        ({"action": "flying"}, "There is no such answer"),
        ({"face-7": "happy"}, "There is no such answer"),
        ({"action": "running", "note": "x" * 1001}, "under 1,000 characters"),
        ({"action": "running", "seconds": "soon"}, "number"),
    ],
)
def test_an_unusable_answer_is_refused_and_nothing_is_saved(
    client: Client, reviewer: User, data: dict[str, str], reason: str
) -> None:
    item = make_review_item()

    response = answer(client, item, data, **SCRIPT)

    assert response.status_code == 422
    assert reason in shown(response)
    assert not Review.objects.exists()


def test_a_note_of_many_lines_counts_a_line_break_once(client: Client, reviewer: User) -> None:
    answer(client, make_review_item(), {**AGREES, "note": "ab\r\n" * 333 + "c"})
    assert Review.objects.get().note == "ab\n" * 333 + "c"


def test_a_page_left_open_for_hours_tells_no_time(client: Client, reviewer: User) -> None:
    answer(client, make_review_item(), {**AGREES, "seconds": "7200"})
    assert Review.objects.get().seconds is None


def test_undo_brings_the_photo_back_with_what_was_answered(client: Client, reviewer: User) -> None:
    item = make_review_item()
    make_review_item(priority=0.1)
    answer(client, item, {"face-0": "sad", "action": "none", "note": "a dog"})

    page = shown(client.post("/review/undo/", {"queue": ""}, follow=True))

    assert f'data-item="{item.pk}"' in page
    assert chosen(page) == ["sad", "none"]
    assert "a dog</textarea>" in page
    assert Review.objects.get().undone_at
    assert "data-back" in shown(
        answer(client, item, AGREES, **SCRIPT) and client.post("/review/undo/", **SCRIPT)  # type: ignore[arg-type]
    )


def test_undo_after_a_skip_brings_the_skipped_photo_back(client: Client, reviewer: User) -> None:
    reviewed, skipped = make_review_item(priority=0.9), make_review_item()
    answer(client, reviewed, AGREES)
    response = client.post(f"/review/{skipped.pk}/skip/", follow=True)
    assert "Nothing waits" in shown(response)

    assert f'data-item="{skipped.pk}"' in shown(client.post("/review/undo/", follow=True))
    assert f'data-item="{reviewed.pk}"' in shown(client.post("/review/undo/", follow=True))
    assert "nothing to undo" in shown(client.post("/review/undo/", follow=True))


def test_a_skipped_photo_that_somebody_else_took_stays_theirs(
    client: Client, reviewer: User
) -> None:
    item = make_review_item()
    client.post(f"/review/{item.pk}/skip/")
    other = make_reviewer()
    assert next_item(reviewer=other) == item

    response = client.post("/review/undo/", follow=True)

    assert "Somebody else has taken this photo" in shown(response)
    assert ReviewItem.objects.get().leased_by == other


def test_a_video_can_be_watched_by_reviewers_while_its_owner_agrees(
    client: Client, reviewer: User
) -> None:
    item = make_review_item(make_ready_video_story(make_user(improve_consent=True)))

    page, video = client.get("/review/next/"), client.get(f"/review/{item.pk}/video")
    revoked(item)

    assert f"/review/{item.pk}/video" in shown(page)
    assert video["Content-Type"] == "video/mp4"
    assert video["Cache-Control"] == "private, max-age=300"
    assert client.get(f"/review/{item.pk}/video").status_code == 404


def test_faces_are_asked_one_by_one(client: Client, reviewer: User) -> None:
    story = make_ready_story(make_user(improve_consent=True))
    story.analysis.faces = story.analysis.faces * 3
    story.analysis.save()
    item = make_review_item(story)

    page = shown(client.get("/review/next/"))
    answer(client, item, {"face-0": "happy", "face-2": "not_a_face"})

    assert "Face 3 of 3" in page
    assert page.count("data-box=") == 3
    assert Review.objects.get().answers == {"faces": {"0": "happy", "2": "not_a_face"}}


def test_the_pace_counts_since_the_last_break_and_the_session_since_the_last_pause(
    reviewer: User,
) -> None:
    now = timezone.now()
    for seconds in (1, 3, 5, 600, 610, 7200):
        review = make_review(reviewer=reviewer)
        Review.objects.filter(pk=review.pk).update(created_at=now - timedelta(seconds=seconds))

    found = progress(reviewer, None)

    assert (found.reviewed, found.pace) == (5, 30)


def test_queries_of_an_answer_do_not_grow_with_what_was_reviewed(
    client: Client, reviewer: User, django_assert_max_num_queries: Any
) -> None:
    items = [make_review_item() for _ in range(12)]
    for item in items[:10]:
        answer(client, item, AGREES)
    with django_assert_max_num_queries(45):
        answer(client, items[10], AGREES, **SCRIPT)
