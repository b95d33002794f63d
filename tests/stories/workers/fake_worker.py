"""The site's worker with models that only wait.

Start it with `celery -A tests.stories.workers.fake_worker`.

FAKE_MODELS names a folder. Loading takes longer than Celery would wait by itself for a process; an
analysis notes its process there and goes on once the file `go` is there.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ml import warming
from storify_site import watchdog
from storify_site.celery import app

__all__ = ["app"]

FOLDER = Path(os.environ["FAKE_MODELS"])
LOADING_SECONDS = 5.0  # Celery's own patience is four


def _warm(on_part: Callable[[int, int], None]) -> None:
    (FOLDER / f"warming-{os.getpid()}").touch()
    for part in range(5):
        on_part(part, 5)
        time.sleep(LOADING_SECONDS / 5)
    on_part(5, 5)
    (FOLDER / f"ready-{os.getpid()}").touch()


def _wait(_stage: str) -> None:
    (FOLDER / f"analysing-{os.getpid()}").touch()
    while not (FOLDER / "go").exists():
        time.sleep(0.02)


def _analyse(*args: Any, **kwargs: Any) -> Any:
    from tests.stories.conftest import FakeModels  # needs Django, which the worker sets up first

    return FakeModels(before_stage=_wait).analyse(*args, **kwargs)


watchdog.STOPPED = 8  # a test waits for it
vars(warming).update(import_runtimes=lambda: None, warm=_warm)
models = ModuleType("ml.analysis")
vars(models).update(analyse=_analyse, analyse_video=_analyse)
sys.modules["ml.analysis"] = models
