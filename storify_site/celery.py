"""The task queue: `inference` for the models, `default` for everything else."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")

app = Celery("storify")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def warm_models(**_: Any) -> None:
    """Load the models once in every inference process, after the fork and before the first photo.

    The worker that takes the `inference` queue says so through STORIFY_WARM; every other one
    never loads TensorFlow.
    """
    if os.environ.get("STORIFY_WARM"):
        from ml import analysis

        analysis.warm()
