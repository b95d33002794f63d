"""`python -m storify_site.serve`: the web server of `make run` and of deployments.

Requests and responses are buffered, so a slow client can't hold a thread (see storify_site.server).
The settings WEB_… and PORT set its address and the numbers of processes and threads.
"""

import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

from waitress.adjustments import Adjustments

from storify_site.server.connections import RequestParser, Server

logger = logging.getLogger(__name__)
CONNECTIONS = 500  # per process; a connection may hold three files
OPEN_FILES = 4096
KIB, MIB = 1024, 1024 * 1024
RESTART_SECONDS = 1.0
STOPS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storify_site.settings")
    # Requests have threads already; more for each product of matrices only wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        listener = _listen(settings.WEB_HOST, settings.PORT)
        processes = settings.WEB_PROCESSES
    except (ImproperlyConfigured, OSError) as reason:
        sys.stderr.write(f"The web server can't start: {reason}\n")
        return 1
    if processes > 1:
        supervise(listener, processes)
    else:
        serve(listener)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def serve(listener: socket.socket, supervisor: int | None = None) -> None:
    """Serve in this process until it's told to stop; answer pending requests before it ends."""
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)  # while Django loads
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # blocked by `_start`
    _allow_open_files()
    from storify_site.wsgi import application  # sets Django up

    server = make_server(application, listener, supervisor)
    for number in STOPS:
        signal.signal(number, lambda *_: server.stop())
    logger.info("Serving on %s:%s", *listener.getsockname()[:2])
    server.run()


def make_server(
    application: WSGIApplication, listener: socket.socket, supervisor: int | None = None
) -> Server:
    """Create a server for this application on a listening socket."""
    from django.conf import settings
    from django.urls import reverse

    from storify_site.server.admission import Dispatcher
    from storify_site.server.busy import admitted_only

    takes_files = ("stories:new", "api-stories", "recommender:import_library")
    RequestParser.upload_paths = frozenset(map(reverse, takes_files))
    return Server(
        admitted_only(application),
        _sock=listener,
        bind_socket=False,
        sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        dispatcher=Dispatcher(settings.WEB_THREADS, static_url=settings.STATIC_URL),
        adj=adjustments(behind_proxy=settings.BEHIND_PROXY),
        supervisor=supervisor,
        spool_bytes=settings.WEB_SPOOL_MB * 10**6,
    )


def adjustments(*, behind_proxy: bool) -> Adjustments:
    """Waitress's settings."""
    from stories.uploads.upload_handler import CAP_BYTES

    proxy: dict[str, Any] = {
        "trusted_proxy": "*",
        "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    }
    return Adjustments(
        ident="",  # no Server header
        connection_limit=CONNECTIONS,
        channel_timeout=60,  # without a byte in either direction
        cleanup_interval=1,
        asyncore_use_poll=True,
        log_socket_errors=False,
        recv_bytes=64 * KIB,
        max_request_header_size=32 * KIB,
        max_request_body_size=CAP_BYTES + 10 * MIB,  # smaller uploads get an error page
        inbuf_overflow=64 * KIB,  # larger bodies go to a file, so that CONNECTIONS fit in memory
        outbuf_overflow=256 * KIB,
        outbuf_high_watermark=1024 * MIB,  # a thread never waits for a client
        **(proxy if behind_proxy else {}),
    )


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def supervise(listener: socket.socket, processes: int) -> None:
    """Keep `processes` serving processes alive on one socket until told to stop."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    workers = [_start(listener) for _ in range(processes)]
    for number in STOPS:
        signal.signal(number, stop)
    while not stopping:
        if wait([worker.sentinel for worker in workers], timeout=0.5) and not stopping:
            time.sleep(RESTART_SECONDS)
            if not stopping:
                workers = [worker if worker.is_alive() else _start(listener) for worker in workers]
    listener.close()
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()


def _start(listener: socket.socket) -> BaseProcess:
    worker = multiprocessing.get_context("fork").Process(target=serve, args=(listener, os.getpid()))
    # Until it has set its own, it has its supervisor's handlers, which wouldn't end it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        worker.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    return worker


if __name__ == "__main__":
    sys.exit(main())
