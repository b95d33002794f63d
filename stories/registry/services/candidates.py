"""Register trained models; unusable files are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ml.serving.files import UnusableModel, check
from stories.models import ModelEvent, ModelVersion
from stories.registry.errors import ModelRefusedError
from stories.registry.services.events import log_event


def register_candidate(*, folder: Path, actor: User | None = None) -> ModelVersion:
    """Store the model in a folder that `ml.training.candidate` wrote, as a candidate.

    Raises ModelRefusedError, after noting the refusal, if the file is cut off, changed, of another
    format version or for other classes.
    """
    described = json.loads((folder / "candidate.json").read_text())
    version = _version(described, actor)
    try:
        check(version.name, folder / described["file"], version.sha256)
    except UnusableModel as error:
        _refuse(version, str(error), actor)
        raise ModelRefusedError(str(error)) from error
    with (folder / described["file"]).open("rb") as file:
        version.file.save("model.keras", File(file), save=False)
    try:
        return _save(version, actor)
    except BaseException:
        version.file.delete(save=False)
        raise


@transaction.atomic
def _save(version: ModelVersion, actor: User | None) -> ModelVersion:
    version.save()
    log_event(ModelEvent.Action.REGISTERED, name=version.name, version=version, actor=actor)
    return version


@transaction.atomic
def _refuse(version: ModelVersion, problem: str, actor: User | None) -> None:
    version.status = ModelVersion.Status.REFUSED
    version.problem, version.problem_at = problem, timezone.now()
    version.save()
    log_event(
        ModelEvent.Action.REFUSED,
        name=version.name,
        version=version,
        actor=actor,
        reason=problem,
    )


def _version(described: dict[str, Any], actor: User | None) -> ModelVersion:
    kept = (
        *("name", "version", "sha256", "format_version", "classes", "entry", "card", "export"),
        *("comparison", "compared_with"),
    )
    return ModelVersion(created_by=actor, **{key: described[key] for key in kept})
