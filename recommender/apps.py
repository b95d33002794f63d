"""App configuration."""

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    name = "recommender"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Music"

    def ready(self) -> None:
        from recommender import personal_data

        personal_data.take_part()
