"""Periodic Celery tasks."""

import logging

from celery import shared_task

from accounts.long_jobs import LongJob
from recommender import services
from recommender.catalogue.feature_providers import providers
from recommender.errors import FactorsUnusableError, NothingToLearnError

logger = logging.getLogger(__name__)


@shared_task(name="recommender.tasks.expire_tracks")  # type: ignore[untyped-decorator]
def expire_tracks() -> None:
    """Remove expired Spotify metadata."""
    services.expire_tracks()


@shared_task(name="recommender.tasks.refit_intensity")  # type: ignore[untyped-decorator]
def refit_intensity() -> None:
    """Refit the intensity classes to the current catalogue."""
    services.refit_intensity()


@shared_task(name="recommender.tasks.refit_weights")  # type: ignore[untyped-decorator]
def refit_weights() -> None:
    """Refit the ranking weights to the log of suggestions and choices."""
    services.refit_weights()


@shared_task(name="recommender.tasks.refresh_words")  # type: ignore[untyped-decorator]
def refresh_words() -> None:
    """Update the search vocabulary to the current catalogue."""
    services.refresh_words()


@shared_task(name="recommender.tasks.fill_features")  # type: ignore[untyped-decorator]
def fill_features() -> None:
    """Fill in missing audio features for a while; the next run continues from there."""
    services.fill_features(providers=providers())


@shared_task(name="recommender.tasks.train_factors", base=LongJob)  # type: ignore[untyped-decorator]
def train_factors() -> None:
    """Train the collaborative factors, or log why they can't be trained."""
    try:
        services.train_factors()
    except (NothingToLearnError, FactorsUnusableError) as reason:
        logger.info("Factors were not trained: %s", reason)


@shared_task(name="recommender.tasks.place_new_tracks", base=LongJob)  # type: ignore[untyped-decorator]
def place_new_tracks() -> None:
    """Add new tracks to the serving index."""
    try:
        services.place_new_tracks()
    except FactorsUnusableError as reason:
        logger.info("New tracks weren't indexed: %s", reason)


@shared_task(name="recommender.tasks.recount_saves", base=LongJob)  # type: ignore[untyped-decorator]
def recount_saves() -> None:
    """Recount saves from the choices."""
    services.recount_saves()
