"""Periodic Celery tasks."""

import logging

from celery import shared_task

from accounts.long_jobs import LongJob
from accounts.models import User
from recommender import services
from recommender.catalogue.feature_providers import providers
from recommender.errors import FactorsUnusableError, NothingToLearnError
from recommender.library import recommendations
from recommender.library import services as library
from recommender.library.features import fill_library, fill_popularity
from recommender.library.importing import jobs
from recommender.library.sync import run_sync
from recommender.models import LibrarySync

logger = logging.getLogger(__name__)


@shared_task(name="recommender.tasks.expire_tracks")  # type: ignore[untyped-decorator]
def expire_tracks() -> None:
    """Remove expired Spotify metadata and libraries."""
    library.expire_libraries()
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
    """Fill in missing audio features for a while; the next run continues from there.

    People wait for those of their own music, so a large catalogue comes after them.
    """
    services.fill_features(providers=providers(), private=True)
    fill_popularity()
    services.fill_features(providers=providers())


@shared_task(name="recommender.tasks.sync_library")  # type: ignore[untyped-decorator]
def sync_library(user_id: int) -> None:
    """Read the next pages of a person's library, with the features of what they hold."""
    sync = run_sync(user_id=user_id, after_page=lambda user: fill_library(user=user))
    if sync is not None and sync.state == LibrarySync.State.QUEUED:
        library.enqueue_sync(user_id=user_id)


@shared_task(name="recommender.tasks.recommend_to")  # type: ignore[untyped-decorator]
def recommend_to(user_id: int, valence: float, energy: float) -> None:
    """Ask ReccoBeats for new music that goes with a person's own."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        recommendations.recommend_to(user=user, valence=valence, energy=energy)


@shared_task(  # type: ignore[untyped-decorator]
    name="recommender.tasks.import_library",
    soft_time_limit=jobs.SECONDS,
    time_limit=jobs.SECONDS + 30,
)
def import_library(import_id: int) -> None:
    """Read a file with somebody's own music."""
    jobs.run_import(import_id=import_id)


@shared_task(name="recommender.tasks.continue_syncs")  # type: ignore[untyped-decorator]
def continue_syncs() -> None:
    """Go on with libraries that waited, and refresh those that were read a week ago."""
    library.continue_syncs()
    jobs.continue_imports()


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
