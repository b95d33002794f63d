"""POST /stories/: what is accepted, refused, repeated and throttled."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from redis.exceptions import RedisError
from rest_framework.test import APIClient

from accounts.web.throttling import PersonThrottle
from stories.models import Story
from stories.services.queue import DELAYED
from stories.uploads.photos import MAX_PHOTO_BYTES
from tests.factories import make_photo_bytes, make_user
from tests.stories.api.conftest import STORIES, assert_problem, post_story
from tests.stories.conftest import FakeQueue

pytestmark = pytest.mark.django_db


def test_upload_answers_202_with_the_story_and_its_place(
    client: APIClient, broker: FakeQueue
) -> None:
    answer = post_story(client, caption="At the sea")
    assert answer.status_code == 202
    body = answer.json()
    story = Story.objects.get()
    assert body == {
        "id": str(story.pk),
        "status": "queued",
        "error": None,
        "photo": f"http://testserver/stories/{story.pk}/photo.jpg",
        "video": None,
        "video_status": None,
        "caption": "At the sea",
        "tags": None,
        "mood": None,
        "moments": [],
        "suggestions": [],
        "chosen": None,
        "created_at": body["created_at"],
    }
    assert answer["Location"] == f"http://testserver{STORIES}{story.pk}/"
    assert client.get(answer["Location"]).json() == body


def test_upload_with_the_broker_down_is_kept_and_says_so(
    client: APIClient, broker: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    broker.down = True
    with django_capture_on_commit_callbacks(execute=True):
        answer = post_story(client)
    assert answer.status_code == 202
    body = client.get(answer["Location"]).json()
    assert (body["status"], body["error"]) == ("queued", DELAYED)


def test_a_repeated_upload_is_one_story(client: APIClient, broker: FakeQueue) -> None:
    first, again = (post_story(client, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    other = post_story(client, caption="other", headers={"Idempotency-Key": "k1"})
    assert_problem(other, 422, "idempotency_conflict")
    assert Story.objects.count() == 1


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_an_unusable_key_is_refused(client: APIClient, key: str) -> None:
    body = assert_problem(post_story(client, headers={"Idempotency-Key": key}), 400)
    assert "Idempotency-Key" in body["errors"]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty"),
        (make_photo_bytes(kind="TIFF"), 415, "unsupported_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_type"),
        (make_photo_bytes()[:200], 422, "unreadable"),
        (bytes(MAX_PHOTO_BYTES + 1), 413, "too_large"),
        (bytes(MAX_PHOTO_BYTES + 100_000), 413, "too_large"),
    ],
)
def test_what_is_no_photo_is_refused_in_words(
    client: APIClient, broker: FakeQueue, data: bytes, status: int, code: str
) -> None:
    body = assert_problem(post_story(client, data), status, code)
    assert body["detail"].endswith(".")
    assert not Story.objects.exists()
    assert broker.sent == []


def test_an_upload_without_photo_or_with_a_long_caption_is_refused(client: APIClient) -> None:
    body = assert_problem(client.post(STORIES, {"caption": "x"}, format="multipart"), 400)
    assert set(body["errors"]) == {"photo"}
    assert set(assert_problem(post_story(client, caption="x" * 1001), 400)["errors"]) == {"caption"}
    assert_problem(post_story(client, caption="a\0b"), 400)


def test_a_caption_of_many_lines_counts_a_line_break_once(
    client: APIClient, broker: FakeQueue
) -> None:
    assert post_story(client, caption="ab\r\n" * 333 + "c").status_code == 202
    assert Story.objects.get().caption == "ab\n" * 333 + "c"


def test_json_is_no_upload(client: APIClient) -> None:
    assert_problem(client.post(STORIES, {"caption": "x"}, format="json"), 415)


def test_uploads_are_limited_per_person_and_say_when_to_come_back(
    client: APIClient, broker: FakeQueue, settings: LazySettings
) -> None:
    settings.STORIES_UPLOAD_RATE = "2/min"
    assert [post_story(client).status_code for _ in range(2)] == [202, 202]
    answer = post_story(client)
    assert_problem(answer, 429)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert client.get(STORIES).status_code == 200
    other = APIClient()
    other.force_authenticate(make_user())
    assert post_story(other).status_code == 202


def test_without_the_cache_uploads_go_on(
    client: APIClient, broker: FakeQueue, no_cache: None
) -> None:
    with pytest.raises(RedisError):
        PersonThrottle.cache.get("x")
    assert post_story(client).status_code == 202
