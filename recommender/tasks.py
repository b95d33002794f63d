"""What happens by the clock."""

from celery import shared_task

from recommender import services
from recommender.providers import providers


@shared_task(name="recommender.tasks.expire_tracks")  # type: ignore[untyped-decorator]
def expire_tracks() -> None:
    """Remove cached Spotify descriptions past their time."""
    services.expire_tracks()


@shared_task(name="recommender.tasks.refit_intensity")  # type: ignore[untyped-decorator]
def refit_intensity() -> None:
    """Learn from the catalogue as it is today how intense its tracks are."""
    services.refit_intensity()


@shared_task(name="recommender.tasks.fill_features")  # type: ignore[untyped-decorator]
def fill_features() -> None:
    """Go on filling in audio features, for a while; the next call goes on from there."""
    services.fill_features(providers=providers())
