"""Frames of uploaded videos for the models, and the videos themselves for their owners.

Both are decoded in the sandbox. A video waits with its upload as `source` until a worker has
encoded it anew; the row in the database is the queue, messages only say that there's work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.files import File
from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from PIL import Image

from accounts.transactions import atomic_with_retry
from ml.video import Frame
from stories.errors import ClaimLostError, UploadsBusyError
from stories.models import Story, Video
from stories.services import job_publisher
from stories.services.deletion import delete_on_commit
from stories.services.queue import stale_before
from stories.services.uploads import no_files_left_on_failure, sandbox, upload_folder
from stories.uploads.photos import Upload, UploadError
from stories.uploads.sandbox import FRAME, VIDEO, SandboxError
from stories.workers import heartbeat

FAILED = "This video can’t be played: {} Its picture, its mood and its music stay."
_DAMAGED = "it is damaged."
_TOO_COSTLY = "it takes too much memory or time to read."
_GONE = "its file is missing."
# What passes within minutes; it doesn't count as an attempt.
TRANSIENT = (OSError, OperationalError, MemoryError, UploadsBusyError)

logger = logging.getLogger(__name__)


def sample_frames(upload: Upload, *, on_progress: Callable[[], None] = lambda: None) -> list[Frame]:
    """Return the frames of a video that are analysed. Raises UploadError if there are none."""
    with upload_folder(upload) as folder:
        times = sandbox.sample(folder, on_progress)
        return [Frame(at, _picture(folder / FRAME.format(n))) for n, at in enumerate(times)]


def _picture(path: Path) -> Image.Image:
    with Image.open(path, formats=["PPM"]) as image:
        image.load()
        return image


def transcode_next_video() -> bool:
    """Encode the video that has waited longest; False if none waits.

    Runs at most once at a time for a video: storing the result checks that the claim still holds.
    A video that can't be encoded says so in `error`. Raises what may pass for the log.
    """
    video = _claim_next()
    if video is None:
        return False
    try:
        _transcode(video)
    except ClaimLostError:
        logger.info("a transcoded video was dropped: its claim was lost")
    except SandboxError:
        _held(video).update(claim=None)
        raise
    except TRANSIENT:
        _held(video).update(claim=None, attempts=F("attempts") - 1)
        raise
    return True


def _transcode(video: Video) -> None:
    if video.attempts > settings.STORIES_MAX_ATTEMPTS:  # whoever tried has died
        _give_up(video, _TOO_COSTLY)
        return
    try:
        with video.source.open("rb") as source, upload_folder(source) as folder:
            sandbox.transcode(folder, partial(_renew, video))
            _store(video, folder / VIDEO)
    except UploadError as error:
        _give_up(video, _TOO_COSTLY if error.code == "too_costly" else _DAMAGED)
    except FileNotFoundError:
        _give_up(video, _GONE)


def send_waiting_videos() -> None:
    """Ask a worker to transcode if a video waits and nobody has it."""
    if _waiting().exists():
        send_for_transcoding()


def send_for_transcoding() -> None:
    """Ask a worker to transcode what waits; if the broker is down, the beat asks again."""
    try:
        job_publisher.publish_transcoding()
    except job_publisher.BrokerUnavailableError:
        logger.info("the broker is down; the video is transcoded later")


def _waiting() -> QuerySet[Video]:
    """Videos that nobody works on; those whose analysis is still to come wait for it."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=stale_before())
    finished = (Story.Status.READY, Story.Status.FAILED)
    return Video.objects.filter(free, story__status__in=finished).exclude(source="")


@transaction.atomic
def _claim_next() -> Video | None:
    waiting = _waiting().select_for_update(skip_locked=True, of=("self",))
    video = waiting.order_by(F("claimed_at").asc(nulls_first=True), "story__created_at").first()
    if video:
        video.claim, video.claimed_at, video.attempts = uuid4(), timezone.now(), video.attempts + 1
        video.save(update_fields=["claim", "claimed_at", "attempts"])
    return video


def _held(video: Video) -> QuerySet[Video]:
    return Video.objects.filter(pk=video.pk, claim=video.claim)


def _renew(video: Video) -> None:
    heartbeat.note()
    if not _held(video).update(claimed_at=timezone.now()):
        raise ClaimLostError


@atomic_with_retry
def _store(video: Video, path: Path) -> None:
    """Replace the source by the file at `path`."""
    held = _locked(video)
    with path.open("rb") as file, no_files_left_on_failure(held.file):
        held.file.save("video.mp4", File(file), save=False)
        _drop_source(held)


@atomic_with_retry
def _give_up(video: Video, reason: str) -> None:
    logger.warning("the video of story %s can't be transcoded: %s", video.pk, reason)
    held = _locked(video)
    held.error = FAILED.format(reason)
    _drop_source(held)


def _locked(video: Video) -> Video:
    """Lock the story before its video, as its deletion does."""
    Story.objects.select_for_update().filter(pk=video.pk).first()
    held = _held(video).select_for_update().first()
    if held is None:
        raise ClaimLostError
    return held


def _drop_source(held: Video) -> None:
    delete_on_commit(held.source.storage, str(held.source.name))
    held.source, held.claim = "", None
    held.save(update_fields=["file", "source", "error", "claim"])
