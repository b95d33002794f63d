"""App configuration."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "storify_site"

    def ready(self) -> None:
        # Every process that may send a task needs the app with its broker, commands included.
        from storify_site import celery  # noqa: F401
