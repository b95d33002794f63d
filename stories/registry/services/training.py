"""Train candidates from exports of reviews, in a process of its own."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from ml.manifest import ModelsMissing, manifest, model_file
from ml.serving.files import FORMATS, UnusableModel
from stories.models import ModelEvent, ModelVersion
from stories.registry.errors import RegistryError, TrainingFailedError
from stories.registry.files import local_file
from stories.registry.selectors import serving_version
from stories.registry.services.candidates import register_candidate
from stories.registry.services.events import log_event
from stories.review.export import ExportError, export_reviews, verify_export
from stories.services import job_publisher

HOURS = 2.9  # less than a long job may take
NOT_TRAINABLE = "The {name} model can't be trained from reviews. Choose one of: {known}."
NOTHING_REVIEWED = "No agreed label of this model is there to train on. Review more photos."

logger = logging.getLogger(__name__)


def queue_training(*, name: str, actor: User) -> None:
    """Ask a worker of the queue `long` to train a candidate on the current reviews.

    Raises TrainingFailedError for a model that isn't trained here, and without a broker.
    """
    _require_trainable(name)
    log_event(ModelEvent.Action.QUEUED, name=name, actor=actor)
    try:
        job_publisher.publish_training(name, actor.pk)
    except job_publisher.BrokerUnavailableError as error:
        reason = "The queue isn't reachable. Please try again in a few minutes."
        log_event(ModelEvent.Action.FAILED, name=name, actor=actor, reason=reason)
        raise TrainingFailedError(reason) from error


def train_from_reviews(*, name: str, user_id: int) -> ModelVersion | None:
    """Export the reviews, train on them and remove the export; None, and logged, if that fails."""
    actor = User.objects.filter(pk=user_id).first()
    try:
        with tempfile.TemporaryDirectory(prefix="storify-reviews-") as folder:
            export = Path(folder) / "export"
            export_reviews(out=export)
            return train_candidate(name=name, export=export, actor=actor)
    except (ExportError, RegistryError) as error:
        log_event(ModelEvent.Action.FAILED, name=name, actor=actor, reason=str(error))
        logger.warning("no %s candidate was trained: %s", name, error)
        return None


def train_candidate(
    *,
    name: str,
    export: Path,
    data: Path | None = None,
    epochs: int | None = None,
    actor: User | None = None,
    on_progress: Callable[[str], object] = logger.info,
) -> ModelVersion:
    """Tune the serving model on an export, compare both, and register the result.

    `data` is the folder of the base data (default: STORIFY_DATA); `on_progress` gets lines that say
    how far it is. Raises ExportError for an export
    that isn't as it was written, TrainingFailedError, or ModelRefusedError.
    """
    _require_trainable(name)
    files = verify_export(export)["files"]
    if not files[f"{name}.parquet"]["splits"]["train"]:
        raise TrainingFailedError(NOTHING_REVIEWED)
    with tempfile.TemporaryDirectory(prefix="storify-candidate-") as folder:
        command = _command(name, export, data, epochs, Path(folder))
        _run(command, on_progress)
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


def _run(command: list[str], on_progress: Callable[[str], object]) -> None:
    late = threading.Event()
    said: deque[str] = deque(maxlen=30)
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True
    ) as process:

        def end() -> None:
            late.set()
            process.kill()

        limit = threading.Timer(HOURS * 3600, end)
        limit.daemon = True
        limit.start()
        try:
            for line in process.stderr or ():
                said.append(line.rstrip())
                on_progress(said[-1])
        except BaseException:
            process.kill()
            raise
        finally:
            limit.cancel()
    _check(process.returncode, said, late=late.is_set())


def _check(returncode: int, said: deque[str], *, late: bool) -> None:
    if late:
        raise TrainingFailedError(f"Training took more than {HOURS} hours and was ended.")
    last = next((line for line in reversed(said) if line), "")
    if returncode == 2:
        raise TrainingFailedError(last)
    if returncode:
        logger.error("training ended with %d: %s", returncode, "\n".join(said)[-2000:])
        raise TrainingFailedError(f"Training ended with an error: {last[:300]}")
