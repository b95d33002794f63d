"""Connection handling: a slow client holds its own connection and nothing else.

Waitress reads whole requests and writes whole responses in one loop over all connections; threads
see only complete requests. This module adds limits that waitress lacks: on requests that trickle
in, on endless chunk headers, on idle connections that use up the connection limit, and on the disk
space that all large bodies together take up.
"""

import os
import time
from collections.abc import Callable
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
LARGE_BODY_BYTES = 64 * 1024


class RequestParser(HTTPRequestParser):  # type: ignore[misc]
    """Parses a request as it arrives, with limits that waitress lacks."""

    upload_paths: frozenset[str] = frozenset()
    path = ""
    queued_at = 0.0
    refused = False
    has_room = False

    def __init__(self, adj: Any, find_room: Callable[[int], bool]) -> None:
        super().__init__(adj)
        self._find_room = find_room

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
        if size > LARGE_BODY_BYTES and not self.has_room and not self.error:
            self.has_room = self._find_room(size - self.held_bytes())
            if not self.has_room:
                self.refuse()
        return consumed

    def refuse(self) -> None:
        """Answer 503 without reading the rest of the body."""
        self.refused = self.completed = True
        self.expect_continue = False
        self.headers["CONNECTION"] = "close"

    def held_bytes(self) -> int:
        """Stored bytes of its body; a refused body is removed at once."""
        return 0 if self.refused else self.body_bytes_received

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

    task_class = Task
    request: RequestParser | None
    requests: list[RequestParser]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_began = time.monotonic()

    def parser_class(self, adj: Any) -> RequestParser:
        return RequestParser(adj, self.server.has_room_for)

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.request_began = time.monotonic()
        received: bool = super().received(data)
        if self.request is not None and self.request.held_bytes() > LARGE_BODY_BYTES:
            self.server.spool_has_grown = True
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

    def held_bytes(self) -> int:
        """Stored bytes of this connection's request bodies."""
        requests = [*self.requests, *([self.request] if self.request else [])]
        return sum(request.held_bytes() for request in requests)

    def speed(self) -> float:
        """Bytes per second of the unfinished body so far."""
        return float(self.held_bytes() / max(time.monotonic() - self.request_began, 1e-3))

    def refuse(self) -> None:
        """Answer the unfinished request with 503."""
        with self.requests_lock:
            assert self.request is not None  # noqa: S101 - the caller has checked it
            self.request.refuse()
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)

    def is_busy(self) -> bool:
        """Whether a complete request is being answered."""
        return bool(self.requests or self.total_outbufs_len)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """The loop over all connections."""

    channel_class = Channel
    active_channels: dict[int, Channel]

    def __init__(
        self, *args: Any, spool_bytes: int, supervisor: int | None = None, **kwargs: Any
    ) -> None:
        self._stopping = False
        self._supervisor = supervisor
        self._spool_bytes = spool_bytes
        self.spool_has_grown = False
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
            if self.spool_has_grown:
                self._free_spool()
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

    def has_room_for(self, size: int) -> bool:
        """Whether this many bytes fit in addition to those stored."""
        return self._held_bytes() + size <= self._spool_bytes

    def _held_bytes(self) -> int:
        return sum(channel.held_bytes() for channel in self.active_channels.values())

    def _free_spool(self) -> None:
        """Refuse the slowest large uploads while all bodies together exceed the limit.

        Each of them had room when it began, but others have grown since.
        """
        self.spool_has_grown = False
        while self._held_bytes() > self._spool_bytes:
            large = [
                channel
                for channel in self.active_channels.values()
                if channel.request and channel.request.held_bytes() > LARGE_BODY_BYTES
            ]
            if not large:
                return
            min(large, key=Channel.speed).refuse()

    def _still_answering(self) -> bool:
        channels = list(self.active_channels.values())
        for channel in channels:
            channel.will_close = channel.will_close or not channel.is_busy()
        return any(channel.is_busy() for channel in channels)
