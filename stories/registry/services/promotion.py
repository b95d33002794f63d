"""Put models in service, take them back, and start or stop their shadow mode."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.transactions import atomic_with_retry
from ml.serving.files import UnusableModel
from stories.models import ModelEvent, ModelVersion
from stories.registry.errors import (
    MayBeWorseError,
    ModelRefusedError,
    NotPromotableError,
)
from stories.registry.files import local_file
from stories.registry.selectors import objections
from stories.registry.services.events import log_event

Status, Action = ModelVersion.Status, ModelEvent.Action


@atomic_with_retry
def promote_model(*, version_id: UUID, actor: User | None = None, reason: str = "") -> ModelVersion:
    """Serve a candidate from now on; workers switch to it before their next analysis.

    Raises MayBeWorseError unless it's shown not to be worse or a reason is typed,
    NotPromotableError for what isn't a candidate, ModelRefusedError for an unusable file.
    """
    version, serving = _lock(version_id)
    _require(version, Status.CANDIDATE, Status.SHADOW)
    _require_file(version)
    against, reason = objections(version), reason.strip()
    if against and not reason:
        raise MayBeWorseError(against)
    if serving:
        _set(serving, Status.RETIRED)
    version.promoted_at, version.promoted_by = timezone.now(), actor
    version.override_reason = reason if against else ""
    version.replaced = serving
    _set(version, Status.SERVING, "promoted_at", "promoted_by", "override_reason", "replaced")
    log_event(Action.PROMOTED, name=version.name, version=version, actor=actor, reason=reason)
    return version


@atomic_with_retry
def take_back(
    *, version_id: UUID, actor: User | None = None, reason: str = ""
) -> ModelVersion | None:
    """Serve again what this version replaced; return it, or None for the shipped model.

    Raises NotPromotableError if this version isn't serving, so that asking twice takes back one.
    """
    version, _ = _lock(version_id)
    _require(version, Status.SERVING)
    before = version.replaced
    _set(version, Status.RETIRED)
    if before:
        _set(before, Status.SERVING)
    log_event(
        Action.TAKEN_BACK, name=version.name, version=version, actor=actor, reason=reason.strip()
    )
    return before


@atomic_with_retry
def start_shadow(*, version_id: UUID, actor: User | None = None) -> ModelVersion:
    """Run a candidate beside the serving model; one that did so before becomes a candidate again.

    Raises NotPromotableError for what isn't a candidate, ModelRefusedError for an unusable file.
    """
    version, _ = _lock(version_id)
    _require(version, Status.CANDIDATE)
    _require_file(version)
    for other in ModelVersion.objects.filter(name=version.name, status=Status.SHADOW):
        _set(other, Status.CANDIDATE)
        log_event(Action.UNSHADOWED, name=other.name, version=other, actor=actor)
    _set(version, Status.SHADOW)
    log_event(Action.SHADOWED, name=version.name, version=version, actor=actor)
    return version


@atomic_with_retry
def stop_shadow(*, version_id: UUID, actor: User | None = None) -> ModelVersion:
    """Make a version in shadow mode a candidate again. Raises NotPromotableError for any other."""
    version, _ = _lock(version_id)
    _require(version, Status.SHADOW)
    _set(version, Status.CANDIDATE)
    log_event(Action.UNSHADOWED, name=version.name, version=version, actor=actor)
    return version


def _lock(version_id: UUID) -> tuple[ModelVersion, ModelVersion | None]:
    """Lock every version of the same name; return this one and the serving one."""
    named = ModelVersion.objects.filter(pk=version_id).values("name")
    locked = list(ModelVersion.objects.select_for_update().filter(name__in=named).order_by("pk"))
    version = next((one for one in locked if one.pk == version_id), None)
    if version is None:
        raise NotPromotableError("There is no such model version any more.")
    return version, next((one for one in locked if one.status == Status.SERVING), None)


def _require(version: ModelVersion, *statuses: str) -> None:
    if version.status not in statuses:
        raise NotPromotableError(
            f"{version} is {version.get_status_display()}. Reload the page to see what can be done."
        )


def _require_file(version: ModelVersion) -> None:
    try:
        local_file(version)
    except UnusableModel as error:
        raise ModelRefusedError(str(error)) from error


def _set(version: ModelVersion, status: str, *columns: str) -> None:
    version.status = status
    version.save(update_fields=["status", *columns])
