"""Append to the log of what was done with models."""

from __future__ import annotations

from accounts.models import User
from stories.models import ModelEvent, ModelVersion


def log_event(
    action: str,
    *,
    name: str,
    version: ModelVersion | None = None,
    actor: User | None,
    reason: str = "",
) -> ModelEvent:
    """Store what was done with a model; without `actor`, nobody signed in did it."""
    return ModelEvent.objects.create(
        action=action,
        name=name,
        version=version.version if version else "",
        actor=actor,
        reason=reason,
    )
