"""Why a model isn't trained, registered or promoted; `str()` is for staff."""

from __future__ import annotations

from collections.abc import Sequence

from stories.errors import StoryError


class RegistryError(StoryError):
    code = "registry_error"


class TrainingFailedError(RegistryError):
    """The candidate wasn't trained; the message says why."""

    code = "training_failed"


class ModelRefusedError(RegistryError):
    """The model file is unusable; the message says why."""

    code = "model_refused"


class NotPromotableError(RegistryError):
    code = "not_promotable"


class MayBeWorseError(RegistryError):
    """The comparison doesn't show that the model is as good; a reason is required."""

    code = "may_be_worse"

    def __init__(self, objections: Sequence[str]) -> None:
        super().__init__(
            f"{' '.join(objections)} To promote it nevertheless, type the reason; it is kept."
        )
