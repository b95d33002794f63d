"""Train candidates from exports of reviews, in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from ml.manifest import ModelsMissing, manifest, model_file
from ml.serving.files import FORMATS, UnusableModel
from stories.models import ModelEvent, ModelVersion
from stories.registry.errors import RegistryError, TrainingFailedError
from stories.registry.files import local_file
from stories.registry.selectors import serving_version
from stories.registry.services import runs
from stories.registry.services.candidates import register_candidate
from stories.registry.services.events import log_event
from stories.review.export import ExportError, export_reviews, verify_export
from stories.services import job_publisher

HOURS = 2.9  # less than a long job may take
NOT_TRAINABLE = "The {name} model can't be trained from reviews. Choose one of: {known}."
WATCH_SECONDS = 2.0  # between looks at whether it was cancelled or takes too long
RUNS_ALREADY = "A candidate of this model is being trained already. Wait for it, or cancel it."
NOT_RUNNING = "No training of this model waits or runs."
BROKEN = "Something went wrong on our side, and the worker's log says what. Please try again."
NOTHING_REVIEWED = "No agreed label of this model is there to train on. Review more photos."

logger = logging.getLogger(__name__)


def queue_training(*, name: str, actor: User) -> None:
    """Ask a worker of the queue `long` to train a candidate on the current reviews.

    Raises TrainingFailedError for a model that isn't trained here or is being trained already, and
    without a broker.
    """
    _require_trainable(name)
    since = runs.start_waiting(name)
    if since is None:
        raise TrainingFailedError(RUNS_ALREADY)
    log_event(ModelEvent.Action.QUEUED, name=name, actor=actor)
    try:
        job_publisher.publish_training(name, actor.pk, since)
    except job_publisher.BrokerUnavailableError as error:
        runs.end_run(name, since)
        reason = "The queue isn't reachable. Please try again in a few minutes."
        log_event(ModelEvent.Action.FAILED, name=name, actor=actor, reason=reason)
        raise TrainingFailedError(reason) from error


def cancel_training(*, name: str, actor: User) -> None:
    """End the training of a model that waits or runs; nothing of it stays.

    Raises TrainingFailedError if there is none.
    """
    _require_trainable(name)
    if not runs.cancel_run(name, str(actor)):
        raise TrainingFailedError(NOT_RUNNING)


def train_from_reviews(*, name: str, user_id: int, since: datetime) -> ModelVersion | None:
    """Export the reviews, train on them and remove the export; None if that can't be done.

    The log of models says why, also of an error that nobody foresaw, which is raised. `since` says
    since when it was queued, and so which training it is.
    """
    actor = User.objects.filter(pk=user_id).first()
    export = Path(settings.VAR_DIR) / "training-export"
    shutil.rmtree(export, ignore_errors=True)  # of a worker that was killed
    try:
        _look(name, since)
        export_reviews(out=export, on_story=lambda: _look(name, since))
        return train_candidate(
            name=name,
            export=export,
            actor=actor,
            on_progress=lambda line: runs.note_progress(name, since, line),
            on_watch=lambda: _look(name, since),
        )
    except (ExportError, RegistryError) as error:
        log_event(ModelEvent.Action.FAILED, name=name, actor=actor, reason=str(error))
        logger.warning("no %s candidate was trained: %s", name, error)
        return None
    except Exception:
        log_event(ModelEvent.Action.FAILED, name=name, actor=actor, reason=BROKEN)
        raise
    finally:
        shutil.rmtree(export, ignore_errors=True)
        runs.end_run(name, since)


def _look(name: str, since: datetime) -> None:
    """Note that the training is alive; raise TrainingFailedError if it was cancelled."""
    if who := runs.cancelled_by(name, since):
        raise TrainingFailedError(f"Cancelled by {who}.")
    runs.note_progress(name, since)


def train_candidate(
    *,
    name: str,
    export: Path,
    data: Path | None = None,
    epochs: int | None = None,
    actor: User | None = None,
    on_progress: Callable[[str], object] = logger.info,
    on_watch: Callable[[], object] = bool,
) -> ModelVersion:
    """Tune the serving model on an export, compare both, and register the result.

    `data` is the folder of the base data (default: STORIFY_DATA); `on_progress` gets lines that say
    how far it is; `on_watch` is called every WATCH_SECONDS, from another thread, and ends the
    training by raising TrainingFailedError. Raises ExportError for an export that isn't as it was
    written, TrainingFailedError, or ModelRefusedError.
    """
    _require_trainable(name)
    files = verify_export(export)["files"]
    if not files[f"{name}.parquet"]["splits"]["train"]:
        raise TrainingFailedError(NOTHING_REVIEWED)
    with tempfile.TemporaryDirectory(prefix="storify-candidate-") as folder:
        command = _command(name, export, data, epochs, Path(folder))
        _run(command, on_progress, on_watch)
        if not connection.in_atomic_block:  # the database may have restarted since
            connection.close_if_unusable_or_obsolete()
        return register_candidate(folder=Path(folder), actor=actor)


def _require_trainable(name: str) -> None:
    if name not in FORMATS:
        raise TrainingFailedError(NOT_TRAINABLE.format(name=name, known=", ".join(FORMATS)))


def _command(
    name: str, export: Path, data: Path | None, epochs: int | None, out: Path
) -> list[str]:
    file, entry = _serving(name)
    (out / "entry.json").write_text(json.dumps(entry))
    given: dict[str, Any] = {
        "name": name,
        "export": export,
        "serving": file,
        "entry": out / "entry.json",
        "out": out,
        "version": _next_version(entry),
        "data": data or settings.STORIFY_DATA or None,
        "epochs": epochs,
        "parent": os.getpid(),
    }
    options = [part for key, value in given.items() if value for part in (f"--{key}", str(value))]
    return [sys.executable, "-m", "ml.training.candidate", *options]


def _serving(name: str) -> tuple[Path, dict[str, Any]]:
    """The file and the entry that the candidate starts from."""
    serving = serving_version(name)
    try:
        if serving:
            return local_file(serving), serving.entry
        return model_file(name), manifest()["models"][name]
    except (UnusableModel, ModelsMissing) as error:
        raise TrainingFailedError(f"There's no model to start from. {error}") from error


def _next_version(entry: dict[str, Any]) -> str:
    """The shipped version that it descends from, and when it was trained."""
    return f"{str(entry['version']).partition('+')[0]}+{timezone.now():%Y%m%d%H%M%S}"


def _run(
    command: list[str], on_progress: Callable[[str], object], on_watch: Callable[[], object]
) -> None:
    said: deque[str] = deque(maxlen=30)
    reasons: list[TrainingFailedError] = []
    done = threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True
    ) as process:
        watched = (process, on_watch, done, reasons)
        watch = threading.Thread(target=_watch, args=watched, daemon=True)
        watch.start()
        try:
            for line in process.stderr or ():
                said.append(line.rstrip())
                on_progress(said[-1])
        except BaseException:
            process.kill()
            raise
        finally:
            done.set()
            watch.join()  # it may be about to note that the training is alive
    if reasons:
        raise reasons[0]
    _check(process.returncode, said)


def _watch(
    process: subprocess.Popen[str],
    on_watch: Callable[[], object],
    done: threading.Event,
    reasons: list[TrainingFailedError],
) -> None:
    """End the process, and note why, once it takes too long or `on_watch` refuses."""
    deadline = time.monotonic() + HOURS * 3600
    while True:
        try:
            on_watch()
            _check_time(deadline)
        except TrainingFailedError as reason:
            reasons.append(reason)
            process.kill()
            return
        if done.wait(WATCH_SECONDS):
            return


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TrainingFailedError(f"Training took more than {HOURS} hours and was ended.")


def _check(returncode: int, said: deque[str]) -> None:
    last = next((line for line in reversed(said) if line), "")
    if returncode == 2:
        raise TrainingFailedError(last)
    if returncode:
        logger.error("training ended with %d: %s", returncode, "\n".join(said)[-2000:])
        raise TrainingFailedError(f"Training ended with an error: {last[:300]}")
