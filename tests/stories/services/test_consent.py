"""Withdrawing consent to faces: erasure, and new moods and suggestions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import record_faces_consent
from ml.mood.fusion import fuse
from recommender.models import Suggestion, Track
from stories import selectors, services, tasks
from stories.models import Analysis, Story, TagEvent
from stories.services import consent, job_publisher
from tests.factories import LIVELY, make_ready_story, make_ready_video_story, make_story, make_user
from tests.stories.conftest import FakeModels, FakeQueue
from tests.stories.services.threads import beside

pytestmark = pytest.mark.django_db


@pytest.fixture
def withdraw(
    broker: FakeQueue, django_capture_on_commit_callbacks: Any
) -> Callable[[User], list[Any]]:
    """Withdraw consent as the page does."""

    def say_no(user: User) -> list[Any]:
        with django_capture_on_commit_callbacks(execute=True) as sent:
            record_faces_consent(user=user, agreed=False)
        return list(sent)

    return say_no


def refreshed() -> int:
    """Run the task until nothing is left."""
    steps = 0
    while services.refresh_outdated():
        steps += 1
    return steps


def without_emotion(analysis: Analysis) -> Any:
    return fuse(action=analysis.action, intensity=analysis.intensity, scene=LIVELY)


def test_faces_emotion_and_mood_are_gone_from_api_and_page_at_once(
    user: User, withdraw: Callable[[User], list[Any]], client: Client
) -> None:
    story = make_ready_story(user)
    client.force_login(user)
    page = client.get(f"/stories/{story.pk}/").content.decode()
    assert 'id="faces"' in page
    assert "70%" in page
    withdraw(user)
    api = APIClient()
    api.force_authenticate(user)
    shown = api.get(f"/api/v1/stories/{story.pk}/").json()
    assert shown["tags"]["faces"] == []
    assert shown["tags"]["emotion"] == {"label": None, "probabilities": {}}
    assert shown["tags"]["action"]["label"] == "running"
    mood = without_emotion(story.analysis)
    assert (shown["mood"]["valence"], shown["mood"]["energy"]) == (mood.valence, mood.energy)
    page = client.get(f"/stories/{story.pk}/").content.decode()
    assert "Storify didn&#x27;t read faces, as you chose" in page
    assert 'id="faces"' not in page
    assert "70%" not in page


def test_every_column_read_from_faces_is_empty(
    user: User, withdraw: Callable[[User], list[Any]]
) -> None:
    story = make_ready_story(user)
    withdraw(user)
    row = Analysis.objects.get(pk=story.pk)
    assert (row.emotion, row.emotion_label, row.emotion_set, row.faces) == (None, None, [], [])
    assert row.versions == {"emotion": "test"}


def test_the_music_is_ranked_again_for_the_new_mood(
    user: User, withdraw: Callable[[User], list[Any]], tracks: list[Track], no_models: None
) -> None:
    story = make_ready_story(user)
    services.suggest_again(story=story)
    withdraw(user)
    refreshed()
    assert Suggestion.objects.filter(story_id=story.pk).values("batch").distinct().count() == 2
    assert not Analysis.objects.exclude(outdated="").exists()
    assert refreshed() == 0


def test_somebody_elses_stories_stay_as_they_are(
    user: User, withdraw: Callable[[User], list[Any]]
) -> None:
    other = make_ready_story(make_user())
    withdraw(user)
    refreshed()
    kept = Analysis.objects.get(pk=other.pk)
    assert kept.faces
    assert selectors.mood_of(kept.story) == selectors.mood_of(other)


def test_what_the_person_set_by_hand_stays_and_counts(
    user: User, withdraw: Callable[[User], list[Any]]
) -> None:
    moved, corrected = make_ready_story(user), make_ready_story(user)
    services.correct_story(story=moved, user=user, mood=(0.25, 0.75))
    services.correct_story(story=corrected, user=user, emotion="sad")
    before = selectors.mood_of(selectors.get_story(user, corrected.pk))
    withdraw(user)
    refreshed()
    analysis = Analysis.objects.get(pk=moved.pk)
    assert (analysis.mood_valence, analysis.mood_energy) == (0.25, 0.75)
    again = selectors.get_story(user, corrected.pk)
    assert (selectors.effective_tags(again) or {})["emotion"]["label"] == "sad"
    assert selectors.mood_of(again) == before


def test_the_log_keeps_what_was_said_by_hand_and_not_what_the_models_said(
    user: User, withdraw: Callable[[User], list[Any]]
) -> None:
    story = make_ready_story(user)
    services.correct_story(story=story, user=user, emotion="sad")
    services.correct_story(story=story, user=user, action="dancing")
    services.correct_story(story=story, user=user, mood=(0.25, 0.75))
    withdraw(user)
    log = {one.tag: (one.before, one.after) for one in TagEvent.objects.all()}
    assert log == {
        "emotion": (None, "sad"),
        "action": ("running", "dancing"),
        "mood": (None, {"valence": 0.25, "energy": 0.75}),
    }


def test_moments_of_a_video_with_faces_go_and_others_stay(
    user: User, withdraw: Callable[[User], list[Any]]
) -> None:
    with_faces, without = make_ready_video_story(user), make_ready_video_story(user)
    Analysis.objects.filter(pk=without.pk).update(emotion=None, faces=[])
    withdraw(user)
    assert Analysis.objects.get(pk=with_faces.pk).moments == []
    assert len(Analysis.objects.get(pk=without.pk).moments) == 3
    assert Analysis.objects.get(pk=without.pk).outdated == ""


def test_many_stories_are_worked_through_by_the_task_in_steps(
    user: User,
    withdraw: Callable[[User], list[Any]],
    broker: FakeQueue,
    tracks: list[Track],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, size in (("AT_ONCE", 2), ("MOODS_A_STEP", 3), ("LISTS_A_STEP", 4)):
        monkeypatch.setattr(consent, name, size)
    stories = [make_ready_story(user) for _ in range(9)]
    withdraw(user)
    assert not Analysis.objects.filter(emotion__isnull=False).exists()
    assert Analysis.objects.filter(outdated="mood").count() == 7
    while tasks.refresh_outdated():
        pass
    mood = without_emotion(stories[0].analysis)
    assert {selectors.mood_of(story) for story in Story.objects.all()} == {mood}
    assert Suggestion.objects.values("story_id").distinct().count() == 9
    # The message of the withdrawal, and one for each step: 7 moods in threes, 9 lists in fours.
    assert broker.refreshes == 1 + 3 + 3


def test_without_a_broker_the_beat_goes_on(
    user: User, withdraw: Callable[[User], list[Any]], broker: FakeQueue, tracks: list[Track]
) -> None:
    make_ready_story(user)
    broker.down = True
    withdraw(user)
    assert services.refresh_outdated() == 1
    assert not Analysis.objects.exclude(outdated="").exists()


def test_a_story_that_cannot_be_ranked_keeps_its_mark_and_not_the_others(
    user: User,
    withdraw: Callable[[User], list[Any]],
    tracks: list[Track],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, other = make_ready_story(user), make_ready_story(user)
    withdraw(user)
    real = services.suggest_again

    def failing(*, story: Story) -> Story:
        if story.pk == broken.pk:
            raise ValueError("a bug")
        return real(story=story)

    monkeypatch.setattr(consent, "suggest_again", failing)
    refreshed()
    assert [row.pk for row in Analysis.objects.exclude(outdated="")] == [broken.pk]
    assert Suggestion.objects.filter(story_id=other.pk).exists()


def test_saying_no_twice_or_first_changes_nothing_else(
    withdraw: Callable[[User], list[Any]],
) -> None:
    never_asked = make_user(faces_consent=None)
    withdraw(never_asked)
    withdraw(never_asked)
    assert services.refresh_outdated() == 0


def test_the_page_says_what_is_deleted(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    page = client.post("/accounts/notice/", {"agreed": "no", "next": "/accounts/"}, follow=True)
    assert "what it read from them in your stories is deleted" in page.content.decode()
    page = client.post("/accounts/notice/", {"agreed": "no", "next": "/accounts/"}, follow=True)
    assert "read from them in your stories" not in page.content.decode()


# --- while something else is at work ---


def test_consent_withdrawn_during_the_analysis_is_heard(
    user: User, models: FakeModels, tracks: list[Track], broker: FakeQueue
) -> None:
    story = make_story(user)
    models.before_stage = lambda stage: (
        record_faces_consent(user=User.objects.get(pk=user.pk), agreed=False)
        if stage == "action"
        else None
    )
    services.analyse_story(story_id=story.pk)
    row = Analysis.objects.get(pk=story.pk)
    assert models.calls[0]["faces"] is True
    assert (row.emotion, row.emotion_label, row.emotion_set, row.faces) == (None, None, [], [])
    scene = selectors.fused_mood(row)
    assert (row.mood_valence, row.mood_energy) == (scene.valence, scene.energy)
    assert Suggestion.objects.filter(story_id=story.pk).count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_correction_at_the_same_moment_brings_no_face_back(
    broker: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    story = make_ready_story(user)
    read, withdrawn = threading.Event(), threading.Event()
    real = selectors.effective_tags

    def slow(story: Story) -> Any:
        tags = real(story)  # the analysis has been read
        read.set()
        withdrawn.wait(0.3)
        return tags

    monkeypatch.setattr("stories.services.corrections.effective_tags", slow)
    with beside(lambda: services.correct_story(story=story, user=user, action="dancing")) as raised:
        assert read.wait(20)
        record_faces_consent(user=User.objects.get(pk=user.pk), agreed=False)
        withdrawn.set()
    assert raised == []
    row = Analysis.objects.get(pk=story.pk)
    assert (row.emotion, row.faces, row.corrected_action) == (None, [], "dancing")
    refreshed()
    assert selectors.mood_of(Story.objects.get(pk=story.pk)) == selectors.fused_mood(row)


def test_the_message_goes_to_the_queue_for_everything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(job_publisher, "_publish", lambda task, *args: sent.append(task))
    job_publisher.publish_refresh()
    assert sent == [tasks.refresh_outdated.name]
