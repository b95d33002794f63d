"""Create stories from uploads and queue them for a worker."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import IntegrityError, connection, transaction
from django.db.models.fields.files import FieldFile
from psycopg.errors import ForeignKeyViolation

from accounts.models import User
from stories.errors import IdempotencyConflictError, StoryGoneError, UploadsBusyError
from stories.models import Photo, Story, Video
from stories.services.queue import enqueue_story
from stories.uploads.photos import CleanPhoto, Upload
from stories.uploads.sandbox import PHOTO, THUMBNAIL, UPLOAD, Sandbox

_CHUNK = 1 << 20
# How long an upload waits for its turn before it gets a 503.
TURN_SECONDS = 2.0
sandbox = Sandbox()
_turns = threading.BoundedSemaphore(settings.STORIES_READS_AT_ONCE)


def create_story(
    *, user: User, upload: Upload, caption: str = "", idempotency_key: str | None = None
) -> Story:
    """Store a cleaned photo or video as a new story and queue it.

    The same key from the same user returns the same story, also for concurrent requests. If the
    broker is down, the story stays queued and `error` says so. Raises UploadError for a file that
    is refused, IdempotencyConflictError if the key was used for another upload, UploadsBusyError
    if too many uploads are being read, and StoryGoneError if the user was deleted meanwhile.
    """
    key, digest = idempotency_key or None, _digest(upload, caption)
    if earlier := _find_earlier(user, key, digest):
        return earlier
    clean = read_upload(upload)
    try:
        fields = {"caption": caption, "idempotency_key": key, "upload_digest": digest}
        story = _insert_story(user, clean, upload, **fields)
    except IntegrityError as error:
        if isinstance(error.__cause__, ForeignKeyViolation):
            raise StoryGoneError from error
        # The other of two requests with this key was first.
        if earlier := _find_earlier(user, key, digest):
            return earlier
        raise
    try:
        story.refresh_from_db()  # what queueing wrote after the commit
    except Story.DoesNotExist as error:
        raise StoryGoneError from error
    return story


@dataclass(frozen=True)
class CleanUpload:
    """The cleaned photo; of a video, its poster and how many seconds it lasts."""

    photo: CleanPhoto
    seconds: float | None = None


def read_upload(upload: Upload) -> CleanUpload:
    """Check and clean a photo, or check a video. Raises UploadError and UploadsBusyError."""
    with upload_folder(upload) as folder, _turn():
        result = sandbox.read(folder)
        return CleanUpload(_photo(folder, result), result.get("seconds"))


@contextmanager
def upload_folder(upload: Upload) -> Iterator[Path]:
    """A folder for the sandbox with a copy of the upload."""
    with tempfile.TemporaryDirectory(prefix="storify-") as name:
        folder = Path(name)
        upload.seek(0)
        with (folder / UPLOAD).open("wb") as copy:
            while chunk := upload.read(_CHUNK):
                copy.write(chunk)
        yield folder


@contextmanager
def _turn() -> Iterator[None]:
    """Limit concurrent reads, because each may need much memory."""
    if not _turns.acquire(timeout=TURN_SECONDS):
        raise UploadsBusyError
    try:
        yield
    finally:
        _turns.release()


def _photo(folder: Path, result: dict[str, Any]) -> CleanPhoto:
    jpeg, thumbnail = (folder / PHOTO).read_bytes(), (folder / THUMBNAIL).read_bytes()
    return CleanPhoto(jpeg, thumbnail, result["width"], result["height"])


def _digest(upload: Upload, caption: str) -> str:
    upload.seek(0)
    digest = hashlib.sha256()
    while chunk := upload.read(_CHUNK):
        digest.update(chunk)
    digest.update(b"\0" + caption.encode())
    return digest.hexdigest()


def _find_earlier(user: User, key: str | None, digest: str) -> Story | None:
    if key is None:
        return None
    earlier = Story.objects.filter(user=user, idempotency_key=key).first()
    if earlier and earlier.upload_digest != digest:
        raise IdempotencyConflictError
    return earlier


@transaction.atomic
def _insert_story(user: User, clean: CleanUpload, upload: Upload, **fields: str | None) -> Story:
    # The row first: its unique key lets one of two concurrent requests store files, not both.
    story = Story.objects.create(user=user, **fields)
    # Foreign keys are otherwise checked at the commit, when the files are stored already. Now it
    # fails here for a person who is gone, and locks one who is there: their deletion waits, and
    # then finds the story with its files.
    connection.check_constraints()
    photo = Photo(story=story, width=clean.photo.width, height=clean.photo.height)
    video = Video(story=story)
    with no_files_left_on_failure(photo.file, photo.thumbnail, video.source):
        photo.file.save("photo.jpg", ContentFile(clean.photo.jpeg), save=False)
        photo.thumbnail.save("thumbnail.jpg", ContentFile(clean.photo.thumbnail), save=False)
        photo.save(force_insert=True)
        if clean.seconds is not None:
            video.seconds = clean.seconds
            upload.seek(0)
            video.source.save("", File(cast("IO[bytes]", upload)), save=False)
            video.save(force_insert=True)
    transaction.on_commit(lambda: enqueue_story(story_id=story.pk))
    return story


@contextmanager
def no_files_left_on_failure(*files: FieldFile) -> Iterator[None]:
    """Delete what was stored if the transaction's work fails."""
    try:
        yield
    except BaseException:
        for file in files:
            if file:
                file.delete(save=False)
        raise
