"""Connection handling: a slow client holds its own connection and nothing else.

Waitress reads whole requests and writes whole responses in one loop over all connections; threads
see only complete requests. This module adds limits that waitress lacks: on requests that trickle
in, on endless chunk headers, and on idle connections that use up the connection limit.
"""

import os
import time
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

GRACE_SECONDS = 20.0
MIN_BYTES_PER_SECOND = 1000.0  # over the whole request, beyond the grace
DRAIN_SECONDS = 25.0
MAX_CHUNK_LINE_BYTES = 4096
MAX_FORM_BYTES = 4 * 1024 * 1024


class RequestParser(HTTPRequestParser):  # type: ignore[misc]
    """Parses a request as it arrives, with limits that waitress lacks."""

    upload_paths: frozenset[str] = frozenset()
    path = ""
    queued_at = 0.0
    refused = False

    def received(self, data: bytes) -> int:
        """Parse received data; return how many bytes belong to this request."""
        try:
            consumed: int = super().received(data)
        except ValueError:  # a number with thousands of digits
            return self._reject(BadRequest("A length in the request is invalid."), len(data))
        if self._line_bytes() > MAX_CHUNK_LINE_BYTES:
            return self._reject(BadRequest("A chunk header is too long."), consumed)
        size = max(self.content_length, self.body_bytes_received)
        if size > MAX_FORM_BYTES and self.path not in self.upload_paths:
            return self._reject(RequestEntityTooLarge("This page takes no uploads."), consumed)
        return consumed

    def _line_bytes(self) -> int:
        # Waitress doesn't limit a chunk header or trailer, and copies it whenever more arrives.
        body = self.body_rcv
        chunked = isinstance(body, ChunkedReceiver)
        return len(body.control_line) + len(body.trailer) if chunked else 0

    def _reject(self, error: Error, consumed: int) -> int:
        self.error: Error | None = self.error or error
        self.completed = True
        return consumed


class Task(WSGITask):  # type: ignore[misc]
    """Tells the application whether the request is refused."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["storify.refused"] = self.request.refused
        return environ


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    parser_class = RequestParser
    task_class = Task

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_began = time.monotonic()

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.request_began = time.monotonic()
        received: bool = super().received(data)
        return received

    def service(self) -> None:
        """Serve or refuse the next request; runs in a thread."""
        self.server.task_dispatcher.admit(self.requests[0])
        super().service()

    def is_too_slow(self) -> bool:
        """Whether an unfinished request arrives more slowly than MIN_BYTES_PER_SECOND."""
        if self.requests or self.request is None:
            return False
        received = self.request.header_bytes_received + self.request.body_bytes_received
        allowed = GRACE_SECONDS + received / MIN_BYTES_PER_SECOND
        return bool(time.monotonic() - self.request_began > allowed)

    def is_busy(self) -> bool:
        """Whether a complete request is being answered."""
        return bool(self.requests or self.total_outbufs_len)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """The loop over all connections."""

    channel_class = Channel
    active_channels: dict[int, Channel]

    def __init__(self, *args: Any, supervisor: int | None = None, **kwargs: Any) -> None:
        self._stopping = False
        self._supervisor = supervisor
        super().__init__(*args, **kwargs)

    def maintenance(self, now: float) -> None:
        """Close idle and slow connections, and refuse late requests; runs every second."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.is_too_slow():
                channel.will_close = True
        self.task_dispatcher.refuse_late()
        if self._supervisor and os.getppid() != self._supervisor:
            self.stop()

    def stop(self) -> None:
        """Stop after answering pending requests; safe in a signal handler."""
        self._stopping = True
        self.pull_trigger()

    def run(self) -> None:
        """Serve until told to stop."""
        while not self._stopping:
            self._make_room()
            wasyncore.poll2(self.adj.asyncore_loop_timeout, self._map)
        wasyncore.dispatcher.close(self)  # the listening socket only
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._still_answering() and time.monotonic() < deadline:
            wasyncore.poll2(0.1, self._map)
        self.task_dispatcher.shutdown()

    def _make_room(self) -> None:
        """At the connection limit, close the oldest connection without a complete request.

        Call it only between polls: poll2 would mistake a reused file descriptor for the closed one.
        """
        while len(self._map) >= self.adj.connection_limit:
            # No thread uses a connection without a complete request.
            unfinished = [c for c in self.active_channels.values() if not c.requests]
            if not unfinished:
                return
            min(unfinished, key=lambda channel: channel.request_began).handle_close()

    def _still_answering(self) -> bool:
        channels = list(self.active_channels.values())
        for channel in channels:
            channel.will_close = channel.will_close or not channel.is_busy()
        return any(channel.is_busy() for channel in channels)
