"""What happens by the clock."""

import logging

from celery import shared_task

from recommender import services
from recommender.catalogue.feature_providers import providers
from recommender.errors import FactorsUnusableError, NothingToLearnError

# Training and arranging a large catalogue take minutes. They are not handed out a second time
# while they run, and two at once exclude each other.
LONG = {"soft_time_limit": 3 * 3600, "time_limit": 3 * 3600 + 60, "acks_late": False}
logger = logging.getLogger(__name__)


@shared_task(name="recommender.tasks.expire_tracks")  # type: ignore[untyped-decorator]
def expire_tracks() -> None:
    """Remove cached Spotify descriptions past their time."""
    services.expire_tracks()


@shared_task(name="recommender.tasks.refit_intensity")  # type: ignore[untyped-decorator]
def refit_intensity() -> None:
    """Learn from the catalogue as it is today how intense its tracks are."""
    services.refit_intensity()


@shared_task(name="recommender.tasks.refit_weights")  # type: ignore[untyped-decorator]
def refit_weights() -> None:
    """Learn from what was shown and chosen how much each term of the ranking counts."""
    services.refit_weights()


@shared_task(name="recommender.tasks.refresh_words")  # type: ignore[untyped-decorator]
def refresh_words() -> None:
    """Keep the vocabulary of the search to what tracks say today."""
    services.refresh_words()


@shared_task(name="recommender.tasks.fill_features")  # type: ignore[untyped-decorator]
def fill_features() -> None:
    """Go on filling in audio features, for a while; the next call goes on from there."""
    services.fill_features(providers=providers())


@shared_task(name="recommender.tasks.train_factors", **LONG)  # type: ignore[untyped-decorator]
def train_factors() -> None:
    """Learn the collaborative factors anew from everybody's choices, or say why not."""
    try:
        services.train_factors()
    except (NothingToLearnError, FactorsUnusableError) as reason:
        logger.info("Factors were not trained: %s", reason)


@shared_task(name="recommender.tasks.place_new_tracks", **LONG)  # type: ignore[untyped-decorator]
def place_new_tracks() -> None:
    """Find a place among the factors for tracks that came since."""
    try:
        services.place_new_tracks()
    except FactorsUnusableError as reason:
        logger.info("New tracks wait for their place: %s", reason)


@shared_task(name="recommender.tasks.recount_saves", **LONG)  # type: ignore[untyped-decorator]
def recount_saves() -> None:
    """Count exactly what was counted save by save."""
    services.recount_saves()
