"""Let this process use the models that the registry says, switching between two tasks."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from stories.models import ModelVersion
from stories.registry.files import local_file
from stories.registry.selectors import models_in_use
from stories.workers import heartbeat

if TYPE_CHECKING:
    from ml.networks import Loaded

# After a failure, this process tries a version again only then.
RETRY_SECONDS = 60.0

logger = logging.getLogger(__name__)
_serving: dict[str, UUID] = {}
_shadows: dict[str, tuple[ModelVersion, Loaded]] = {}
_failed: dict[UUID, float] = {}


def use_serving_models() -> None:
    """Switch to the serving versions; called before an analysis, at the cost of one query.

    A new one is downloaded, checked, loaded beside the old one and run once before it is used.
    If any of that fails, the old one stays, and the registry shows why.
    """
    in_use = models_in_use()
    wanted = {one.name: one for one in in_use if one.status == ModelVersion.Status.SERVING}
    for name in {*_serving, *wanted}:
        _switch(name, wanted.get(name))
    _switch_shadows({one.name: one for one in in_use if one.status == ModelVersion.Status.SHADOW})


def shadows() -> list[tuple[ModelVersion, Loaded]]:
    """The versions in shadow mode that this process has loaded."""
    return list(_shadows.values())


def forget() -> None:
    """Go back to the shipped models."""
    for name in list(_serving):
        _switch(name, None)
    _shadows.clear()
    _failed.clear()


def _switch(name: str, version: ModelVersion | None) -> None:
    if _serving.get(name) == (version.pk if version else None):
        return
    from ml import networks

    if version is None:
        networks.serve(name, None)
        del _serving[name]
        logger.info("the shipped %s model is used again", name)
    elif loaded := _load(version):
        networks.serve(name, loaded)
        _serving[name] = version.pk
        logger.info("%s is used from now on", version)


def _switch_shadows(wanted: dict[str, ModelVersion]) -> None:
    for name in {*_shadows, *wanted}:
        version = wanted.get(name)
        known = _shadows.get(name)
        if version and known and known[0].pk == version.pk:
            continue
        _shadows.pop(name, None)
        if version and (loaded := _load(version)):
            _shadows[name] = (version, loaded)


def _load(version: ModelVersion) -> Loaded | None:
    """Return the loaded model, or note in the registry why it can't be used and return None."""
    if time.monotonic() - _failed.get(version.pk, -RETRY_SECONDS) < RETRY_SECONDS:
        return None
    from ml.networks import load

    heartbeat.note()
    try:
        loaded = load(version.name, local_file(version), version.entry)
    except Exception as error:  # whatever it is, the model in use stays
        _failed[version.pk] = time.monotonic()
        _note_problem(version, f"{type(error).__name__}: {error}"[:500])
        return None
    finally:
        heartbeat.note()
    _failed.pop(version.pk, None)
    if version.problem:
        ModelVersion.objects.filter(pk=version.pk).update(problem="", problem_at=None)
    return loaded


def _note_problem(version: ModelVersion, problem: str) -> None:
    logger.error("%s can't be used, the model before stays: %s", version, problem)
    ModelVersion.objects.filter(pk=version.pk).update(problem=problem, problem_at=timezone.now())
