from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from recommender.models import Suggestion, Track
from recommender.services import suggestions
from stories import services, tasks
from stories.models import Analysis, Story
from stories.services import analysis as analysing
from stories.services.analysis import BROKEN, TRYING_AGAIN, UNREADABLE, backoff
from stories.services.queue import DELAYED, GAVE_UP, LOST_AFTER
from tests.factories import make_ready_story, make_story, make_user
from tests.stories.conftest import FakeModels, FakeQueue

pytestmark = pytest.mark.django_db


def long_ago(seconds: float = 0) -> Any:
    return timezone.now() - timedelta(seconds=settings.STORIES_STALE_AFTER + 1 + seconds)


def test_analyse_story_keeps_what_was_seen_and_suggests_tracks(
    user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_story(user, caption="We ran", error=DELAYED)
    services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert (story.status, story.stage, story.error, story.claim) == ("ready", "", "", None)
    assert story.ready_at is not None
    assert story.attempts == 1
    assert story.analysis.action_label == "running"
    assert story.analysis.emotion["happy"] == pytest.approx(0.7)
    assert story.analysis.faces[0]["box"] == [0.1, 0.2, 0.3, 0.4]
    assert models.calls == [{"size": (64, 48), "caption": "We ran", "faces": True}]
    assert Suggestion.objects.filter(story_id=story.pk, user=user).count() == 10


def test_progress_is_written_stage_by_stage(user: User, models: FakeModels) -> None:
    story, seen = make_story(user), []

    def look(_stage: str) -> None:
        story.refresh_from_db()
        seen.append((story.status, story.stage))

    models.before_stage = look
    services.analyse_story(story_id=story.pk)
    stages = ["", "faces", "emotion", "action", "caption"]
    assert seen == [("analysing", stage) for stage in stages]


def test_how_long_each_stage_took_is_kept(
    user: User, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("stories.services.stage_clock.monotonic", lambda: next(clock))
    queued = timezone.now() - timedelta(seconds=30)
    story = make_story(user, enqueued_at=queued)

    services.analyse_story(story_id=story.pk)

    taken = Analysis.objects.get().stage_seconds
    assert taken.pop("waiting") == pytest.approx(30, abs=5)
    assert taken == dict.fromkeys(["loading", "faces", "emotion", "action", "caption", "mood"], 1)


@pytest.mark.parametrize("consent", [None, False])
def test_without_a_yes_no_emotion_is_read_from_faces(
    models: FakeModels, consent: bool | None
) -> None:
    story = make_story(make_user(faces_consent=consent))
    services.analyse_story(story_id=story.pk)
    assert models.calls[0]["faces"] is False
    assert Analysis.objects.get(story=story).emotion is None


def test_a_story_that_is_gone_or_done_is_left_alone(user: User, models: FakeModels) -> None:
    assert services.analyse_story(story_id=uuid4()) is None
    for status in ("ready", "failed"):
        assert services.analyse_story(story_id=make_story(user, status=status).pk) is None
    assert models.calls == []


def test_a_story_in_other_hands_is_left_alone_until_the_claim_is_stale(
    user: User, models: FakeModels
) -> None:
    held = {"status": "analysing", "claim": uuid4(), "attempts": 1}
    fresh = make_story(user, claimed_at=timezone.now(), **held)
    stale = make_story(user, claimed_at=long_ago(), **held)
    assert services.analyse_story(story_id=fresh.pk) is None
    assert services.analyse_story(story_id=stale.pk) is not None
    stale.refresh_from_db()
    assert (stale.status, stale.attempts) == ("ready", 2)


def test_two_messages_make_one_analysis(
    user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_story(user)
    models.before_stage = lambda stage: (
        services.analyse_story(story_id=story.pk) if stage == "action" else None
    )
    services.analyse_story(story_id=story.pk)
    services.analyse_story(story_id=story.pk)
    assert len(models.calls) == 1
    assert Suggestion.objects.values("batch").distinct().count() == 1


def test_a_worker_that_was_overtaken_drops_what_it_found(
    user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_story(user)

    def overtaken(stage: str) -> None:
        if stage == "mood" and len(models.calls) == 1:
            Story.objects.filter(pk=story.pk).update(claimed_at=long_ago())
            services.analyse_story(story_id=story.pk)

    models.before_stage = overtaken
    assert services.analyse_story(story_id=story.pk) is None
    assert len(models.calls) == 2
    assert Suggestion.objects.values("batch").distinct().count() == 1
    story.refresh_from_db()
    assert (story.status, story.attempts) == ("ready", 2)


def test_a_story_deleted_during_its_analysis_stays_deleted(
    user: User, models: FakeModels, tracks: list[Track]
) -> None:
    story = make_story(user)
    models.before_stage = lambda stage: (
        services.delete_story(story=story) if stage == "caption" else None
    )
    assert services.analyse_story(story_id=story.pk) is None
    assert not Story.objects.exists()
    assert not Suggestion.objects.exists()


def raising(error: Exception) -> Any:
    def interfere(_stage: str) -> None:
        raise error

    return interfere


def test_a_passing_trouble_is_tried_again_and_given_up_in_the_end(
    user: User, models: FakeModels
) -> None:
    story = make_story(user)
    models.before_stage = raising(OSError("storage away"))
    for attempt in range(1, settings.STORIES_MAX_ATTEMPTS):
        with pytest.raises(services.AnalysisInterruptedError) as interrupted:
            services.analyse_story(story_id=story.pk)
        assert 2**attempt / 2 <= interrupted.value.retry_in <= 2**attempt * 1.5
        story.refresh_from_db()
        assert (story.status, story.error, story.claim) == ("queued", TRYING_AGAIN, None)
    with pytest.raises(OSError, match="storage away"):
        services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert (story.status, story.error) == ("failed", GAVE_UP)


def test_a_cache_that_fails_is_a_passing_trouble(user: User, models: FakeModels) -> None:
    story = make_story(user)
    models.before_stage = raising(RedisError("cache away"))
    with pytest.raises(services.AnalysisInterruptedError):
        services.analyse_story(story_id=story.pk)


def test_without_the_cache_a_story_is_analysed(
    user: User,
    models: FakeModels,
    tracks: list[Track],
    no_cache: None,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(suggestions, "request_recommendations", lambda **_: cache.add("asked", 1))
    story = make_story(user)
    with django_capture_on_commit_callbacks(execute=True):
        services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert story.status == "ready"


def test_a_lasting_failure_is_said_in_words_and_raised_for_the_log(
    user: User, models: FakeModels
) -> None:
    story = make_story(user)
    models.before_stage = raising(ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert (story.status, story.error, story.stage) == ("failed", BROKEN, "")
    assert story.failed_stage == ""


def test_the_stage_of_a_failure_is_kept_until_the_story_is_tried_again(
    user: User, models: FakeModels
) -> None:
    story = make_story(user)
    models.before_stage = lambda stage: (
        raising(ValueError("a bug"))(stage) if stage == "caption" else None
    )
    with pytest.raises(ValueError, match="a bug"):
        services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert story.failed_stage == "action"

    services.retry_story(story=story)
    assert story.failed_stage == ""


def test_a_missing_photo_is_said_in_words(user: User, models: FakeModels) -> None:
    story = make_story(user)
    story.photo.file.delete(save=False)
    with pytest.raises(FileNotFoundError):
        services.analyse_story(story_id=story.pk)
    story.refresh_from_db()
    assert (story.status, story.error) == ("failed", UNREADABLE)


def test_the_task_retries_with_the_backoff_of_the_service(
    user: User, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, asked = make_story(user), {}

    def retry(**options: Any) -> Exception:
        asked.update(options)
        return RuntimeError("retried")

    models.before_stage = raising(OSError("storage away"))
    monkeypatch.setattr(tasks.analyse_story, "retry", retry)
    with pytest.raises(RuntimeError, match="retried"):
        tasks.analyse_story(str(story.pk))
    assert 1 <= asked["countdown"] <= 3


def test_backoff_grows_and_never_meets_itself() -> None:
    first, third = ({backoff(attempt) for _ in range(50)} for attempt in (1, 3))
    assert max(first) < min(third)
    assert len(first) > 40


def test_recovery_queues_what_a_dead_worker_held(user: User, broker: FakeQueue) -> None:
    held = {"status": "analysing", "claim": uuid4(), "stage": "action", "attempts": 1}
    dead = make_story(user, claimed_at=long_ago(), created_at=long_ago(9), **held)
    alive = make_story(user, claimed_at=timezone.now(), created_at=long_ago(9), **held)
    assert services.recover_stale_stories() == 1
    assert broker.sent == [dead.pk]
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.status, dead.stage, dead.claim) == ("queued", "", None)
    assert alive.status == "analysing"


def test_recovery_gives_up_what_killed_its_worker_again_and_again(
    user: User, broker: FakeQueue
) -> None:
    poison = make_story(
        user, status="analysing", claimed_at=long_ago(), attempts=settings.STORIES_MAX_ATTEMPTS
    )
    assert services.recover_stale_stories() == 0
    poison.refresh_from_db()
    assert (poison.status, poison.error) == ("failed", GAVE_UP)


def test_recovery_sends_what_the_broker_never_took(user: User, broker: FakeQueue) -> None:
    unsent = make_story(user, created_at=long_ago(), error=DELAYED)
    make_story(user)  # the request that made it is still at it
    make_story(user, created_at=long_ago(), enqueued_at=timezone.now())
    make_ready_story(user, created_at=long_ago())
    assert services.recover_stale_stories() == 1
    assert broker.sent == [unsent.pk]
    unsent.refresh_from_db()
    assert unsent.error == ""
    assert services.recover_stale_stories() == 0


def test_recovery_sends_again_as_many_as_the_broker_lost_oldest_first(
    user: User, broker: FakeQueue
) -> None:
    before = timezone.now() - LOST_AFTER
    stories = [
        make_story(user, created_at=before, enqueued_at=before - timedelta(seconds=10 - second))
        for second in range(4)
    ]
    on_its_way = make_story(user, enqueued_at=timezone.now())
    broker.held = 3
    assert services.recover_stale_stories() == 2
    assert broker.sent == [story.pk for story in stories[:2]]
    broker.held = 5
    assert services.recover_stale_stories() == 0
    broker.held = 0
    assert services.recover_stale_stories() == 2
    assert on_its_way.pk not in broker.sent


def test_a_dead_workers_story_is_queued_again_at_once_and_given_up_in_the_end(
    user: User, broker: FakeQueue
) -> None:
    held = {"status": "analysing", "claim": uuid4(), "claimed_at": timezone.now()}
    first = make_story(user, attempts=1, **held)
    last = make_story(user, attempts=settings.STORIES_MAX_ATTEMPTS, **held)
    for story in (first, last):
        services.release_story(story_id=story.pk)
        story.refresh_from_db()
    assert (first.status, first.claim) == ("queued", None)
    assert (last.status, last.error) == ("failed", GAVE_UP)
    assert services.recover_stale_stories() == 0  # its message went back by itself


def test_recovery_waits_while_the_broker_is_still_away(user: User, broker: FakeQueue) -> None:
    broker.down = True
    for _ in range(3):
        make_story(user, created_at=long_ago())
    assert services.recover_stale_stories() == 0
    assert Story.objects.filter(status="queued", enqueued_at=None).count() == 3
    broker.down = False
    assert services.recover_stale_stories() == 3


def test_a_failed_story_can_be_tried_again(
    user: User, broker: FakeQueue, models: FakeModels, django_capture_on_commit_callbacks: Any
) -> None:
    story = make_story(user, status="failed", error=BROKEN, attempts=3)
    with django_capture_on_commit_callbacks(execute=True):
        story = services.retry_story(story=story)
    assert (story.status, story.error, story.attempts) == ("queued", "", 0)
    assert broker.sent == [story.pk]
    assert services.analyse_story(story_id=story.pk) is not None


def test_models_are_loaded_by_the_task_only() -> None:
    assert "ml.analysis" not in vars(analysing)
