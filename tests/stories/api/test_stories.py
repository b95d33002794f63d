"""Stories through the API: shapes, corrections, choices, feedback and deletion."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from ml.labels import ACTIONS, EMOTIONS, INTENSITIES
from recommender.models import Suggestion, Track
from stories import services
from stories.api.serializers import StorySerializer
from stories.models import Analysis
from tests.factories import (
    make_ready_story,
    make_ready_video_story,
    make_story,
    make_user,
)
from tests.stories.api.conftest import STORIES, STORY_KEYS, assert_problem
from tests.stories.conftest import FakeModels, FakeQueue

pytestmark = pytest.mark.django_db


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
    assert set(body["mood"]) == {"valence", "energy", "spread", "word", "certainty"}
    assert [len(row) for row in body["mood"]["spread"]] == [2, 2]
    assert [one["rank"] for one in body["suggestions"]] == [*range(1, 11)]
    for one in body["suggestions"]:
        assert {"id", "rank", "track", "score", "terms", "reasons"} <= set(one)
        assert {"id", "title", "artists", "valence", "energy"} <= set(one["track"])
        assert one["reasons"]
    shown = client.get(f"{STORIES}{story.pk}/suggestions/").json()
    assert shown == body["suggestions"]


def test_a_story_is_what_its_serializer_describes(client: APIClient, user: User) -> None:
    for story in (make_story(user), make_ready_story(user), make_ready_video_story(user)):
        body = {**client.get(f"{STORIES}{story.pk}/").json(), "suggestions": []}
        assert StorySerializer(body).data == body


def test_mood_is_put_into_words_and_certain_once_it_is_set_by_hand(
    client: APIClient, user: User
) -> None:
    address = f"{STORIES}{make_ready_story(user).pk}/"
    seen = client.get(address).json()["mood"]
    assert (seen["word"], seen["certainty"]) == ("a little joyful", "high")
    by_hand = client.patch(address, {"mood": {"valence": 0.5, "energy": 0.6}}).json()["mood"]
    assert (by_hand["word"], by_hand["certainty"]) == ("balanced", "certain")


def test_mood_of_which_nothing_is_known_is_hard_to_tell(client: APIClient, user: User) -> None:
    story = make_ready_story(user)
    Analysis.objects.update(scene=None)
    address = f"{STORIES}{story.pk}/"
    nothing = {"emotion": {"label": None}, "action": {"label": None}}
    mood = client.patch(address, {"tags": nothing}).json()["mood"]
    assert (mood["word"], mood["certainty"]) == ("hard to tell", "low")


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
