"""Recovery in a worker's main process when a pool process dies during an analysis."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from celery.exceptions import WorkerLostError
from celery.worker.request import Request
from django.db import DatabaseError, connections

from stories import services

logger = logging.getLogger(__name__)


class AnalysisRequest(Request):  # type: ignore[misc]
    """Releases the story's claim, too: its requeued message alone would find it still claimed."""

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        raised = exc_info.exception
        if isinstance(getattr(raised, "exc", raised), WorkerLostError):  # billiard wraps it
            self._release()
        return super().on_failure(exc_info, *args, **kwargs)

    def _release(self) -> None:
        try:
            services.release_story(story_id=UUID(self.args[0]))
        except DatabaseError as error:  # the beat does it when the claim is stale
            logger.warning("a story could not be given back: %s", type(error).__name__)
        finally:
            connections.close_all()  # this process forks: none may be open then
