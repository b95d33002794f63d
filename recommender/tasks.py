"""What happens by the clock."""

from celery import shared_task

from recommender import services


@shared_task(name="recommender.tasks.expire_tracks")  # type: ignore[untyped-decorator]
def expire_tracks() -> None:
    """Remove cached Spotify descriptions past their time."""
    services.expire_tracks()
