"""Admission control: which queue a request waits in, and which requests are refused.

The time in a queue is limited as in CoDel (Nichols and Jacobson, 2012): a short burst may wait
longer than a standing queue, which would only make everybody wait.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from waitress.task import ThreadedTaskDispatcher

from storify_site.server.connections import LARGE_BODY_BYTES, Channel, RequestParser

logger = logging.getLogger(__name__)
QUICK_THREADS = 2


class Patience(NamedTuple):
    """How many seconds a request may wait for a thread."""

    burst: float
    standing: float


FOR_PAGES = Patience(burst=1.5, standing=0.3)
FOR_UPLOADS = Patience(burst=5.0, standing=1.0)  # sending an upload again takes longer than waiting
FOR_QUICK = Patience(burst=math.inf, standing=math.inf)


class Lane(ThreadedTaskDispatcher):  # type: ignore[misc]
    """A thread pool with its queue."""

    def __init__(
        self, threads: int, patience: Patience, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.patience = patience
        self._clock = clock
        self._last_empty = -math.inf
        self.set_thread_count(threads)

    def add_task(self, task: Channel) -> None:
        with self.lock:
            task.requests[0].queued_at = self._clock()
            if not self.queue:
                self._last_empty = task.requests[0].queued_at
            self.queue.append(task)
            self.queue_cv.notify()

    def is_late(self, request: RequestParser) -> bool:
        """Whether the request has waited longer than the state of the queue allows."""
        now = self._clock()
        standing = now - self._last_empty > self.patience.burst
        limit = self.patience.standing if standing else self.patience.burst
        return now - request.queued_at > limit

    def take_late(self) -> list[Channel]:
        """Remove and return the requests that have waited too long."""
        late = []
        with self.lock:
            while self.queue and self.is_late(self.queue[0].requests[0]):
                late.append(self.queue.popleft())
        return late


class Dispatcher:
    """Separate thread pools for quick requests, pages and uploads.

    Static files, `/healthz`, malformed requests and refusals are quick, and never refused.
    """

    def __init__(self, threads: int, *, static_url: str) -> None:
        self._static_url = static_url
        self.quick = Lane(QUICK_THREADS, FOR_QUICK)
        self.pages = Lane(threads, FOR_PAGES)
        self.uploads = Lane(max(1, threads // 2), FOR_UPLOADS)
        self._refused = 0

    def add_task(self, channel: Channel) -> None:
        self._lane(channel.requests[0]).add_task(channel)

    def _lane(self, request: RequestParser) -> Lane:
        quick = request.path == "/healthz" or request.path.startswith(self._static_url)
        if request.error or request.refused or quick:
            return self.quick
        return self.uploads if request.body_bytes_received > LARGE_BODY_BYTES else self.pages

    def admit(self, request: RequestParser) -> None:
        """Refuse a request whose turn has come too late."""
        request.refused = request.refused or self._lane(request).is_late(request)
        self._refused += request.refused

    def refuse_late(self) -> None:
        """Refuse requests that no thread will reach in time, and log how many."""
        for channel in self.pages.take_late() + self.uploads.take_late():
            channel.requests[0].refused = True
            self.quick.add_task(channel)
        if self._refused:
            logger.warning("Overloaded: refused %d requests.", self._refused)
            self._refused = 0

    def shutdown(self, **_: Any) -> None:
        for lane in (self.pages, self.uploads, self.quick):
            lane.shutdown(timeout=1)
