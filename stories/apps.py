"""App configuration."""

from __future__ import annotations

from django.apps import AppConfig


class StoriesConfig(AppConfig):
    name = "stories"
    verbose_name = "Stories"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import personal_data
        from stories.personal_data import erase_spotify, export_stories, withdraw_spotify
        from stories.review.services import share_stories
        from stories.services import delete_stories_of, erase_faces

        personal_data.register(
            "stories",
            export=export_stories,
            erase=delete_stories_of,
            erase_spotify=erase_spotify,
            spotify_withdrawn=withdraw_spotify,
            erase_faces=erase_faces,
            share=share_stories,
        )
