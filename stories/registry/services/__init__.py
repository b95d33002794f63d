"""Services that train, register, promote, take back and serve models."""

from stories.registry.services.candidates import register_candidate
from stories.registry.services.promotion import (
    promote_model,
    start_shadow,
    stop_shadow,
    take_back,
)
from stories.registry.services.serving import use_serving_models
from stories.registry.services.shadow import run_shadows
from stories.registry.services.training import (
    cancel_training,
    queue_training,
    train_candidate,
    train_from_reviews,
)

__all__ = [
    "cancel_training",
    "promote_model",
    "queue_training",
    "register_candidate",
    "run_shadows",
    "start_shadow",
    "stop_shadow",
    "take_back",
    "train_candidate",
    "train_from_reviews",
    "use_serving_models",
]
