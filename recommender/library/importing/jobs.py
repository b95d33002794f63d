"""Files that people upload: stored, read in the background, and deleted."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from billiard.exceptions import SoftTimeLimitExceeded
from celery import current_app
from django.core.files.base import File
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.transactions import atomic_with_retry
from recommender.errors import ImportFailedError, RecommenderError
from recommender.library.features import fill_library
from recommender.library.importing.services import ImportStoppedError, import_library
from recommender.locks import lock_person
from recommender.models import LibraryImport

MOST_MB = 300
TASK = "recommender.tasks.import_library"
# A history of 200 MB takes about a minute.
SECONDS = 600
LOST_AFTER = timedelta(minutes=1)
# A worker shows this often that it's still there; after so many missed, it's gone.
BEAT_SECONDS = 5.0
STALE_AFTER = timedelta(seconds=6 * BEAT_SECONDS)
# A file whose worker dies is read once more: the second time, it's the file.
MOST_ATTEMPTS = 2
AT_ONCE = 20
UNFINISHED = "Storify couldn't finish reading this file. Try a smaller part of it."
WAITING_ALREADY = "Your last file is still being read. Try again when that is done."
State = LibraryImport.State
logger = logging.getLogger(__name__)


class ImportRefusedError(RecommenderError):
    """The file can't be taken now; the message says why."""


@atomic_with_retry
def start_import(*, user: User, file: File[bytes]) -> LibraryImport:
    """Keep an uploaded file and read it in the background.

    Raises ImportRefusedError if it's too large or another one is being read.
    """
    if file.size > MOST_MB * 1024**2:
        raise ImportRefusedError(f"The file is larger than {MOST_MB} MB. Choose the zip instead.")
    lock_person(user.pk)
    own = LibraryImport.objects.filter(user=user)
    if own.filter(state__in=[State.QUEUED, State.READING]).exists():
        raise ImportRefusedError(WAITING_ALREADY)
    forget_imports(user=user)
    name = Path(file.name or "").name[:200]
    job = LibraryImport(user=user, name=name)
    job.file.save("upload", file, save=False)
    job.save()
    transaction.on_commit(lambda: _enqueue(job.pk))
    return job


def run_import(*, import_id: int) -> LibraryImport | None:
    """Read the file; None if it's gone or another worker has it."""
    job = _claim(import_id)
    if job is None:
        return None
    try:
        with TemporaryDirectory(prefix="storify-library-") as folder, _heartbeat(job):
            path = _local(job, folder)
            report = import_library(
                user=job.user, path=path, name=job.name, is_wanted=partial(_is_wanted, job)
            )
        job.state, job.report = State.DONE, report.to_json()
    except ImportFailedError as error:
        job.state, job.error = State.FAILED, str(error)
    except ImportStoppedError:
        return None
    except FileNotFoundError:
        job.state, job.error = State.FAILED, "The file is no longer there. Upload it again."
    except SoftTimeLimitExceeded:
        job.state, job.error = State.FAILED, UNFINISHED
    _finish(job)
    if job.state == State.DONE:
        fill_library(user=job.user)
    return job


def _claim(import_id: int) -> LibraryImport | None:
    free = LibraryImport.objects.filter(Q(state=State.QUEUED) | _abandoned(), pk=import_id)
    now, once_more = timezone.now(), F("attempts") + 1
    if not free.filter(attempts__lt=MOST_ATTEMPTS).update(
        state=State.READING, claimed_at=now, attempts=once_more
    ):
        return None
    return LibraryImport.objects.select_related("user").filter(pk=import_id).first()


def _abandoned() -> Q:
    """Imports whose worker died, or stands still."""
    return Q(state=State.READING, claimed_at__lt=timezone.now() - STALE_AFTER)


def _held(job: LibraryImport) -> QuerySet[LibraryImport]:
    """The row, as long as no other worker has taken over."""
    return LibraryImport.objects.filter(pk=job.pk, state=State.READING, attempts=job.attempts)


@contextmanager
def _heartbeat(job: LibraryImport) -> Iterator[None]:
    """Renew the claim from a thread: a long history is read in one go."""
    is_over = Event()
    thread = Thread(target=_beat, args=(job, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _beat(job: LibraryImport, is_over: Event) -> None:
    while not is_over.wait(BEAT_SECONDS):
        try:
            _held(job).update(claimed_at=timezone.now())
        except DatabaseError:
            connection.close()  # the next beat connects again
    connection.close()


def _is_wanted(job: LibraryImport) -> bool:
    return _held(job).exists()


def _finish(job: LibraryImport) -> None:
    done = {"state": job.state, "report": job.report, "error": job.error, "file": ""}
    if _held(job).update(**done):
        job.file.delete(save=False)


def _local(job: LibraryImport, folder: str) -> Path:
    """The file on this machine: the storage may be elsewhere."""
    path = Path(folder) / "upload"
    with job.file.open("rb") as stored, path.open("wb") as out:
        shutil.copyfileobj(stored, out)
    return path


def latest_import(user: User) -> LibraryImport | None:
    return LibraryImport.objects.filter(user=user).first()


def forget_imports(*, user: User) -> None:
    """Delete the person's imports with their files; what was read stays in the library."""
    for job in LibraryImport.objects.filter(user=user):
        if job.file:
            transaction.on_commit(partial(job.file.storage.delete, str(job.file.name)))
        job.delete()


def continue_imports() -> int:
    """Send the tasks that were lost or whose worker died; return how many.

    A file that ended two workers is given up.
    """
    for job in LibraryImport.objects.filter(_abandoned(), attempts__gte=MOST_ATTEMPTS):
        job.state, job.error = State.FAILED, UNFINISHED
        _finish(job)
    lost = Q(state=State.QUEUED, created_at__lt=timezone.now() - LOST_AFTER)
    waiting = LibraryImport.objects.filter(lost | _abandoned())
    ids = [*waiting.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE]]
    for import_id in ids:
        _enqueue(import_id)
    return len(ids)


def _enqueue(import_id: int) -> None:
    try:
        current_app.send_task(TASK, args=[import_id])
    except OperationalError:
        logger.warning("The queue is down; an import is read later")
