"""The worker's analysis of a story: claim it, run the models, store the result, suggest tracks."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from PIL import Image
from redis.exceptions import RedisError

from accounts.transactions import atomic_with_retry
from ml.video import Frame
from recommender.locks import lock_person
from recommender.services import suggest_tracks
from stories.errors import ClaimLostError, UploadsBusyError
from stories.models import Analysis, Story
from stories.registry.services.serving import use_serving_models
from stories.registry.services.shadow import run_shadows
from stories.review.services.items import queue_story
from stories.selectors import mood_of, video_of
from stories.services.consent import without_faces
from stories.services.queue import GAVE_UP, stale_before
from stories.services.stage_clock import StageClock
from stories.services.tag_events import log_new_labels
from stories.services.videos import sample_frames, send_for_transcoding
from stories.survey.selectors import action_levels
from stories.uploads.photos import UploadError
from stories.uploads.sandbox import SandboxError
from stories.workers import heartbeat

if TYPE_CHECKING:
    from ml.types import Analysis as AnalysisResult

UNREADABLE = "The stored file couldn't be opened. Please upload it again."
BROKEN = "Something went wrong while this story was being analysed. Please try again."
TRYING_AGAIN = "The analysis was interrupted. It will start again in a moment."
# Failures that may pass within seconds: no storage, no database, no cache, no memory.
TRANSIENT = (OSError, OperationalError, RedisError, MemoryError, UploadsBusyError, SandboxError)

logger = logging.getLogger(__name__)


class AnalysisInterruptedError(Exception):
    """A transient failure; the story is back in the queue, to be retried in `retry_in` seconds."""

    def __init__(self, retry_in: float) -> None:
        super().__init__(retry_in)
        self.retry_in = retry_in


def analyse_story(*, story_id: UUID) -> Story | None:
    """Analyse a queued story and suggest tracks for it; None if there is nothing to do.

    A story is analysed by one worker at a time and gets one result: every write checks that the
    claim still holds. Raises AnalysisInterruptedError for a transient failure; any other failure
    is stored in the story's `error` and raised, so that it's logged.
    """
    claim = _claim_story(story_id)
    story = (
        Story.objects.select_related("photo", "video", "user")
        .filter(pk=story_id, claim=claim)
        .first()
    )
    if story is None:
        return None
    try:
        clock = StageClock(story)
        saved = _save_result(story, _run_models(story, clock), clock)
    except ClaimLostError:
        return None
    except FileNotFoundError:
        if not _fail(story, UNREADABLE):
            return None  # deleted with its files
        raise
    except TRANSIENT as error:
        raise _interrupt(story, error) from error
    except Exception:
        _fail(story, BROKEN)
        raise
    run_shadows(story=story)
    return saved


def _claim_story(story_id: UUID) -> UUID:
    claim, now = uuid4(), timezone.now()
    waiting = Q(status=Story.Status.QUEUED)
    abandoned = Q(status=Story.Status.ANALYSING, claimed_at__lt=stale_before())
    Story.objects.filter(
        waiting | abandoned, pk=story_id, attempts__lt=settings.STORIES_MAX_ATTEMPTS
    ).update(
        status=Story.Status.ANALYSING,
        claim=claim,
        claimed_at=now,
        attempts=F("attempts") + 1,
        stage="",
        failed_stage="",
        error="",
    )
    return claim


def _run_models(story: Story, clock: StageClock) -> AnalysisResult:
    with story.photo.file.open("rb") as file, Image.open(file, formats=["JPEG"]) as image:
        photo = image.convert("RGB")
    on_stage = partial(_note_stage, story, clock)
    return analyse_media(
        photo,
        _frames(story, on_stage),
        story.caption,
        on_stage=on_stage,
        # Emotions are read from faces only with consent.
        look_at_faces=story.user.faces_consent is True,
    )


def _frames(story: Story, on_stage: Callable[[str], None]) -> Sequence[Frame] | None:
    video = video_of(story)
    stored = video and (video.file or video.source)
    if not stored:
        return None
    try:
        with stored.open("rb") as file:
            return sample_frames(file, on_progress=partial(on_stage, "faces"))
    except UploadError as error:  # the poster was readable; the page says what is with the video
        logger.info("story %s is analysed by its poster: %s", story.pk, error.code)
        return None


def analyse_media(
    photo: Image.Image,
    frames: Sequence[Frame] | None,
    caption: str,
    *,
    on_stage: Callable[[str], None],
    look_at_faces: bool = True,
) -> AnalysisResult:
    """Run the models on an upright photo or, if there are frames, on a video and its poster.

    Calls `on_stage` with the name of each stage as it begins. Intensities come from the survey,
    and the models are those that the registry serves at this moment.
    """
    use_serving_models()
    from ml.analysis import analyse, analyse_video

    levels = action_levels()
    if frames is None:
        return analyse(
            photo, caption, on_stage=on_stage, look_at_faces=look_at_faces, levels=levels
        )
    return analyse_video(
        frames, photo, caption, on_stage=on_stage, look_at_faces=look_at_faces, levels=levels
    )


def _note_stage(story: Story, clock: StageClock, stage: str) -> None:
    """Record progress for the page and renew the claim and the watchdog's heartbeat."""
    heartbeat.note()
    clock.begin(stage)
    if not _held(story).update(stage=stage, claimed_at=timezone.now()):
        raise ClaimLostError


@atomic_with_retry
def _save_result(story: Story, result: AnalysisResult, clock: StageClock) -> Story:
    seconds = clock.seconds()
    person = lock_person(story.user_id)
    held = _held(story).select_for_update().first()
    if person is None or held is None:
        raise ClaimLostError
    fields = analysis_fields(result)
    if person.faces_consent is not True:  # withdrawn during the analysis
        fields = without_faces(fields)
    earlier = Analysis.objects.filter(story=held).first()
    held.analysis, _ = Analysis.objects.update_or_create(
        story=held, defaults={**fields, "stage_seconds": seconds}
    )
    log_new_labels(story=held, earlier=earlier, later=held.analysis)
    if person.improve_consent:
        queue_story(analysis=held.analysis)
    mood = mood_of(held)
    assert mood is not None  # noqa: S101 - it has an analysis now
    suggest_tracks(user=person, story_id=held.pk, mood=mood)
    held.status, held.stage, held.error = Story.Status.READY, "", ""
    held.claim, held.ready_at = None, timezone.now()
    held.save(update_fields=["status", "stage", "error", "claim", "ready_at"])
    if (video := video_of(held)) and video.source:
        transaction.on_commit(send_for_transcoding)
    return held


def analysis_fields(result: AnalysisResult) -> dict[str, Any]:
    """Map a result of the models to the columns of Analysis."""
    stored = result.to_json()
    names = (
        *("emotion", "emotion_label", "emotion_set", "action", "action_label"),
        *("intensity", "caption", "caption_mood", "scene", "faces", "moments", "versions"),
    )
    return {
        **{name: stored[name] for name in names},
        "mood_valence": result.mood.valence,
        "mood_energy": result.mood.energy,
        "mood_spread": stored["mood"]["spread"],
    }


def _held(story: Story) -> QuerySet[Story]:
    return Story.objects.filter(pk=story.pk, claim=story.claim, status=Story.Status.ANALYSING)


def _fail(story: Story, reason: str) -> bool:
    """Store why the story failed; False if it is gone or claimed by another worker."""
    failed = {"status": Story.Status.FAILED, "error": reason, "stage": "", "claim": None}
    return bool(_held(story).update(failed_stage=F("stage"), **failed))


def _interrupt(story: Story, error: BaseException) -> BaseException:
    """Requeue the story, or fail it after the last attempt."""
    if story.attempts >= settings.STORIES_MAX_ATTEMPTS:
        _fail(story, GAVE_UP)
        return error
    _held(story).update(
        status=Story.Status.QUEUED,
        error=TRYING_AGAIN,
        stage="",
        claim=None,
        enqueued_at=timezone.now(),
    )
    logger.warning("story %s interrupted: %s", story.pk, type(error).__name__)
    return AnalysisInterruptedError(backoff(story.attempts))


def backoff(attempt: int) -> float:
    """Seconds until the next attempt: 2, 4, 8 … with jitter of ±50 %."""
    return float(2**attempt) * random.uniform(0.5, 1.5)
