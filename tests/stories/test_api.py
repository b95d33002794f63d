"""The API of the design, endpoint by endpoint: shapes, statuses, refusals."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import RedisError
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_api_token
from accounts.web.throttling import PersonThrottle
from ml.labels import ACTIONS, EMOTIONS, INTENSITIES
from recommender.models import Suggestion, Track
from stories import services
from stories.models import Story
from stories.services.queue import DELAYED
from stories.uploads.photos import MAX_PHOTO_BYTES
from tests.factories import make_photo_bytes, make_ready_story, make_story, make_user
from tests.stories.conftest import FakeModels, FakeQueue

pytestmark = pytest.mark.django_db

STORIES = "/api/v1/stories/"
STORY_KEYS = {
    "id", "status", "error", "photo", "caption", "tags", "mood", "suggestions", "chosen",
    "created_at", "video", "moments",
}  # fmt: skip


@pytest.fixture
def client(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def photo(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("holiday.jpg", make_photo_bytes() if data is None else data)


def post_story(client: APIClient, data: bytes | None = None, **extra: Any) -> Any:
    headers = extra.pop("headers", None)
    form = {"photo": photo(data), **extra}
    return client.post(STORIES, form, format="multipart", headers=headers)


def assert_problem(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = dict(json.loads(answer.content))
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    if code:
        assert body["code"] == code
    return body


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
        (make_photo_bytes(kind="GIF", mode="P"), 415, "unsupported_type"),
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


def test_json_is_no_upload(client: APIClient) -> None:
    assert_problem(client.post(STORIES, {"caption": "x"}, format="json"), 415)


def test_a_ready_story_has_exactly_the_shape_of_the_design(
    client: APIClient, user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_story(user)
    services.analyse_story(story_id=story.pk)
    body = client.get(f"{STORIES}{story.pk}/").json()
    assert set(body) == STORY_KEYS
    assert body["status"] == "ready"
    assert body["error"] is None
    tags = body["tags"]
    assert set(tags) == {"emotion", "action", "intensity", "faces"}
    for kind, classes in (("emotion", EMOTIONS), ("action", ACTIONS), ("intensity", INTENSITIES)):
        assert set(tags[kind]) == {"label", "probabilities"}
        assert set(tags[kind]["probabilities"]) == set(classes)
        assert tags[kind]["label"] in classes
        assert sum(tags[kind]["probabilities"].values()) == pytest.approx(1)
    assert [set(face) for face in tags["faces"]] == [{"box", "label", "probabilities"}]
    assert set(body["mood"]) == {"valence", "energy", "spread"}
    assert [len(row) for row in body["mood"]["spread"]] == [2, 2]
    assert [one["rank"] for one in body["suggestions"]] == [*range(1, 11)]
    for one in body["suggestions"]:
        assert {"id", "rank", "track", "score", "terms", "reasons"} <= set(one)
        assert {"id", "title", "artists", "valence", "energy"} <= set(one["track"])
        assert one["reasons"]
    shown = client.get(f"{STORIES}{story.pk}/suggestions/").json()
    assert shown == body["suggestions"]


def test_a_story_without_face_and_action_says_so_with_null(client: APIClient, user: User) -> None:
    story = make_ready_story(user)
    story.analysis.emotion, story.analysis.emotion_label = None, None
    story.analysis.action_label, story.analysis.faces = None, []
    story.analysis.save()
    tags = client.get(f"{STORIES}{story.pk}/").json()["tags"]
    assert tags["emotion"] == {"label": None, "probabilities": {}}
    assert tags["action"]["label"] is None
    assert set(tags["action"]["probabilities"]) == set(ACTIONS)
    assert tags["faces"] == []


def test_face_that_cannot_be_read_is_uncertain(client: APIClient, user: User) -> None:
    story = make_ready_story(user)
    story.analysis.emotion_label = "uncertain"
    story.analysis.emotion_set = ["happy", "surprise", "neutral"]
    story.analysis.save()
    tag = client.get(f"/api/v1/stories/{story.pk}/").json()["tags"]["emotion"]
    assert tag["label"] == "uncertain"
    assert sum(tag["probabilities"].values()) == pytest.approx(1)
    corrected = client.patch(
        f"/api/v1/stories/{story.pk}/", {"tags": {"emotion": {"label": "sad"}}}
    ).json()
    assert corrected["tags"]["emotion"]["label"] == "sad"


def test_analysis_older_than_the_label_shows_its_likeliest(client: APIClient, user: User) -> None:
    story = make_ready_story(user)
    story.analysis.emotion_label, story.analysis.emotion_set = None, []
    story.analysis.save()
    tag = client.get(f"/api/v1/stories/{story.pk}/").json()["tags"]["emotion"]
    assert tag["label"] == "happy"


def test_a_failed_story_says_why_and_can_be_tried_again(
    client: APIClient, user: User, broker: FakeQueue
) -> None:
    story = make_story(user, status="failed", error="It broke.")
    assert client.get(f"{STORIES}{story.pk}/").json()["error"] == "It broke."
    answer = client.post(f"{STORIES}{story.pk}/retry/")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert_problem(client.post(f"{STORIES}{story.pk}/retry/"), 409, "story_not_failed")


def test_history_comes_in_pages_newest_first(client: APIClient, user: User) -> None:
    made = [str(make_story(user).pk) for _ in range(23)]
    make_story(make_user())
    first = client.get(STORIES).json()
    assert set(first) == {"next", "previous", "results"}
    assert len(first["results"]) == 20
    assert all(set(story) == STORY_KEYS for story in first["results"])
    second = client.get(first["next"]).json()
    assert second["next"] is None
    ids = [story["id"] for story in first["results"] + second["results"]]
    assert ids == made[::-1]


def test_history_takes_the_same_few_queries_for_any_number_of_stories(
    client: APIClient,
    user: User,
    tracks: list[Track],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(6):
        story = make_ready_story(user)
        services.correct_story(story=story, user=user, mood=(0.5, number / 6))
        services.save_choice(story=story, track_id=tracks[number].pk)
    with django_assert_num_queries(3):  # stories, suggestions, choices
        stories = client.get(STORIES).json()["results"]
    assert all(len(story["suggestions"]) == 10 and story["chosen"] for story in stories)


@pytest.mark.usefixtures("no_models")
def test_patch_corrects_tags_and_mood_without_any_model(
    client: APIClient, user: User, tracks: list[Track]
) -> None:
    place = f"{STORIES}{make_ready_story(user).pk}/"
    answer = client.patch(place, {"tags": {"emotion": {"label": "sad"}}})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == STORY_KEYS
    assert body["tags"]["emotion"]["label"] == "sad"
    assert len(body["suggestions"]) == 10
    nothing = client.patch(place, {"tags": {"action": {"label": None}}}).json()
    assert nothing["tags"]["action"] == {"label": None, "probabilities": {}}
    moved = client.patch(place, {"mood": {"valence": 0.9, "energy": 0.2}}).json()
    assert (moved["mood"]["valence"], moved["mood"]["energy"]) == (0.9, 0.2)
    ids = [{one["id"] for one in story["suggestions"]} for story in (body, nothing, moved)]
    assert ids[0].isdisjoint(ids[1] | ids[2])


def test_patch_takes_back_what_get_gave(client: APIClient, user: User) -> None:
    place = f"{STORIES}{make_ready_story(user).pk}/"
    before = client.get(place).json()
    answer = client.patch(place, {"tags": before["tags"], "mood": before["mood"]})
    assert answer.status_code == 200
    assert answer.json()["tags"]["emotion"]["label"] == before["tags"]["emotion"]["label"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"caption": "new"},
        {"tags": {}},
        {"tags": {"emotion": {}}},
        {"tags": {"emotion": {"label": "bored"}}},
        {"tags": {"action": "running"}},
        {"tags": "sad"},
        {"mood": {"valence": 0.5}},
        {"mood": {"valence": 1.5, "energy": 0.5}},
        {"mood": {"valence": "NaN", "energy": 0.5}},
        [1, 2],
    ],
)
def test_patch_refuses_what_is_no_correction(client: APIClient, user: User, wrong: Any) -> None:
    story = make_ready_story(user)
    body = assert_problem(client.patch(f"{STORIES}{story.pk}/", wrong, format="json"), 400)
    assert body["errors"]


def test_patch_of_a_story_that_is_not_ready_is_a_conflict(client: APIClient, user: User) -> None:
    answer = client.patch(f"{STORIES}{make_story(user).pk}/", {"mood": {"valence": 1, "energy": 1}})
    assert_problem(answer, 409, "story_not_ready")


def test_a_choice_is_kept_replaced_and_taken_back(
    client: APIClient, user: User, tracks: list[Track]
) -> None:
    place = f"{STORIES}{make_ready_story(user).pk}/"
    for track in tracks[:2]:
        answer = client.post(f"{place}choice/", {"track_id": str(track.pk)})
        assert (answer.status_code, answer.json()) == (201, {"track_id": str(track.pk)})
        assert client.get(place).json()["chosen"] == str(track.pk)
    assert client.delete(f"{place}choice/").status_code == 204
    assert client.get(place).json()["chosen"] is None


@pytest.mark.parametrize("wrong", [{}, {"track_id": "x"}, {"track_id": str(uuid4())}])
def test_a_choice_of_no_track_is_refused(client: APIClient, user: User, wrong: Any) -> None:
    answer = client.post(f"{STORIES}{make_ready_story(user).pk}/choice/", wrong)
    assert set(assert_problem(answer, 400)["errors"]) == {"track_id"}


def test_a_refused_suggestion_leaves_the_list(
    client: APIClient, user: User, tracks: list[Track]
) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, mood=(0.5, 0.5))
    place = f"{STORIES}{story.pk}/suggestions/"
    first = client.get(place).json()[0]["id"]
    answer = client.post(f"/api/v1/suggestions/{first}/feedback/", {"feedback": "not_this_one"})
    assert answer.status_code == 200
    left = [one["id"] for one in client.get(place).json()]
    assert len(left) == 9
    assert first not in left


def test_delete_removes_the_story(
    client: APIClient,
    user: User,
    tracks: list[Track],
    media: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, mood=(0.5, 0.5))
    with django_capture_on_commit_callbacks(execute=True):
        assert client.delete(f"{STORIES}{story.pk}/").status_code == 204
    assert_problem(client.get(f"{STORIES}{story.pk}/"), 404)
    assert not Suggestion.objects.exists()
    assert not list(media.rglob("*.jpg"))


CALLS = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    ("get", "suggestions/"),
    ("post", "choice/"),
    ("delete", "choice/"),
    ("post", "retry/"),
]


@pytest.mark.parametrize(("method", "part"), CALLS)
def test_stories_of_others_do_not_exist(client: APIClient, method: str, part: str) -> None:
    theirs = make_ready_story(make_user())
    for story_id in (theirs.pk, uuid4()):
        assert_problem(getattr(client, method)(f"{STORIES}{story_id}/{part}"), 404)
    assert Story.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize(("method", "part"), CALLS)
def test_strangers_are_asked_to_sign_in(user: User, method: str, part: str) -> None:
    answer = getattr(APIClient(), method)(f"{STORIES}{make_ready_story(user).pk}/{part}")
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"


def test_a_token_opens_the_api_and_a_wrong_one_does_not(user: User) -> None:
    story = make_ready_story(user)
    _, plain = issue_api_token(user=user, label="test")
    for token, status in ((plain, 200), (f"{plain}x", 401)):
        headers = {"Authorization": f"Token {token}"}
        assert Client().get(f"{STORIES}{story.pk}/", headers=headers).status_code == status


def test_a_session_writes_only_with_the_csrf_token(user: User, broker: FakeQueue) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.get(STORIES).status_code == 200
    assert_problem(post_story(browser), 403)


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
    client: APIClient, broker: FakeQueue, settings: LazySettings
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/redis.sock",
        }
    }
    with pytest.raises(RedisError):
        PersonThrottle.cache.get("x")
    assert post_story(client).status_code == 202


def test_the_schema_is_valid_and_names_every_address() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
    schema = APIClient().get("/api/schema/?format=json").json()
    paths = {path: set(methods) for path, methods in schema["paths"].items()}
    one = "/api/v1/stories/{story_id}/"
    assert paths[STORIES] == {"get", "post"}
    assert paths[one] == {"get", "patch", "delete"}
    assert paths[f"{one}suggestions/"] == {"get"}
    assert paths[f"{one}choice/"] == {"post", "delete"}
    assert {"/api/v1/auth/token", "/api/v1/tracks/"} <= set(paths)
    assert "/api/v1/suggestions/{suggestion_id}/feedback/" in paths
    listed = schema["paths"][STORIES]["get"]["responses"]["200"]["content"]["application/json"]
    page = schema["components"]["schemas"][listed["schema"]["$ref"].rpartition("/")[2]]
    assert {"next", "previous", "results"} <= set(page["properties"])


def test_the_browsable_page_loads_nothing_from_elsewhere() -> None:
    page = APIClient().get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert b"https://" not in page.content.replace(b"https://testserver", b"")


def test_answers_keep_to_the_schema(
    client: APIClient, user: User, models: FakeModels, tracks: list[Track], broker: FakeQueue
) -> None:
    from jsonschema import Draft202012Validator

    schema = APIClient().get("/api/schema/?format=json").json()
    wanted = {**schema["components"]["schemas"]["Story"], "components": schema["components"]}
    wanted = json.loads(_null_as_a_type(json.dumps(wanted)))
    story = make_story(user)
    waiting = client.get(f"{STORIES}{story.pk}/").json()
    services.analyse_story(story_id=story.pk)
    ready = client.get(f"{STORIES}{story.pk}/").json()
    for body in (waiting, ready):
        assert UUID(body["id"]) == story.pk
        assert [e.message for e in Draft202012Validator(wanted).iter_errors(body)] == []


def _null_as_a_type(schema: str) -> str:
    """OpenAPI 3.0 says `nullable`, JSON Schema has a type for it."""

    def hook(part: dict[str, Any]) -> dict[str, Any]:
        nullable = part.pop("nullable", False)
        return {"anyOf": [part, {"type": "null"}]} if nullable else part

    return json.dumps(json.loads(schema, object_hook=hook))
