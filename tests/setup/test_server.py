"""The web server under slow, hostile and too many clients."""

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from types import SimpleNamespace
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from pytest_django import Settings

from storify_site.serve import make_server
from storify_site.server import connections
from storify_site.server.admission import Lane, Patience
from storify_site.server.connections import Server

HALF_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
HALF_BODY = b"POST /stories/new/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nab"
WAIT = 10.0
Answer = tuple[int, dict[str, str], bytes]


class Application:
    """Echoes the request; `/slow` waits until it's released."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = threading.Semaphore(0)
        self.calls: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.calls.append(path)
        if path.endswith("/slow"):
            self.entered.release()
            assert self.release.wait(WAIT)
        body = environ["wsgi.input"].read()
        if path == "/large":
            start("200 OK", [("Content-Type", "video/mp4")])
            return environ["wsgi.file_wrapper"](io.BytesIO(bytes(40_000_000)))  # type: ignore[no-any-return]
        if path == "/large-page":
            start("200 OK", [("Content-Length", "40000000")])
            return (bytes(1_000_000) for _ in range(40))
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO")
        seen = {"bytes": len(body), "address": environ["REMOTE_ADDR"], "forwarded": forwarded}
        text = json.dumps(seen).encode()
        start("200 OK", [("Content-Length", str(len(text)))])
        return [text]


class Running:
    """A server in a thread of this process, and requests to it."""

    held: Callable[[], Answer]

    def __init__(self, application: Application, server: Server, port: int) -> None:
        self.application, self.server, self.port = application, server, port
        self.thread = threading.Thread(target=server.run)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **head: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)) as client:
            headers = {name.replace("_", "-"): value for name, value in head.items()}
            client.request(method, path, body, headers)
            reply = client.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()

    def ask_later(self, path: str) -> Callable[[], Answer]:
        """Send a request; the returned function waits for the response."""
        answers: list[Answer] = []
        thread = threading.Thread(target=lambda: answers.append(self.ask(path)))
        thread.start()

        def answer() -> Answer:
            thread.join(WAIT)
            return answers[0]

        return answer

    def send(self, data: bytes) -> socket.socket:
        """Open a connection and send this."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        client.sendall(data)
        return client


def is_closed(client: socket.socket) -> bool:
    """Whether the server closes this connection, soon, and without an answer."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:  # it had not read everything
        return True


Start = Callable[..., Running]


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Starts servers with one thread for pages; all are stopped at the end."""
    settings.WEB_THREADS = 1
    with ExitStack() as stack:

        def start_server(**adjustments: int) -> Running:
            application = Application()
            listener = socket.create_server(("127.0.0.1", 0))
            server = make_server(application, listener)
            for name, value in {"cleanup_interval": 0, **adjustments}.items():
                setattr(server.adj, name, value)
            running = Running(application, server, listener.getsockname()[1])
            stack.callback(running.thread.join, WAIT)
            stack.callback(server.stop)
            stack.callback(application.release.set)
            running.thread.start()
            return running

        yield start_server


@pytest.fixture
def site(start: Start) -> Running:
    return start()


def test_forty_half_sent_requests_delay_nobody(site: Running) -> None:
    with ExitStack() as stack:
        for half in [HALF_HEAD, HALF_BODY] * 20:
            stack.enter_context(site.send(half))
        started = time.monotonic()
        status, _, _ = site.ask("/")

    assert status == 200
    assert time.monotonic() - started < WAIT
    assert site.application.calls == ["/"]


def test_upload_that_dribbles_in_reaches_a_thread_only_when_it_is_whole(site: Running) -> None:
    head = b"POST /stories/new/ HTTP/1.0\r\nContent-Length: 3000000\r\n\r\n"
    with site.send(head + bytes(1_000_000)) as client:
        assert site.ask("/")[0] == 200
        client.sendall(bytes(1_000_000))
        assert site.ask("/")[0] == 200
        client.sendall(bytes(1_000_000))
        reply = client.makefile("rb").read()

    assert site.application.calls == ["/", "/", "/stories/new/"]
    assert b'"bytes": 3000000' in reply


def upload(size: int, sent: int = 0) -> bytes:
    head = f"POST /stories/new/ HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + bytes(sent)


def test_upload_without_room_is_503_with_retry_after_and_others_go_on(
    settings: Settings, start: Start
) -> None:
    settings.WEB_SPOOL_MB = 1
    site = start()
    with site.send(upload(800_000, sent=700_000)) as first:
        while site.server.has_room_for(400_000):  # until the server has read what was sent
            assert site.ask("/")[0] == 200
        with site.send(upload(400_000)) as second:
            refused = second.makefile("rb").read()
        assert site.ask("/stories/new/", "POST", bytes(50_000))[0] == 200
        first.sendall(bytes(100_000))
        assert first.recv(12).endswith(b" 200")
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"\r\nRetry-After: " in refused
    assert site.ask("/stories/new/", "POST", bytes(900_000))[0] == 200  # the room is free again


def test_slowest_upload_gives_way_when_uploads_outgrow_their_room(
    settings: Settings, start: Start
) -> None:
    settings.WEB_SPOOL_MB = 1
    site = start()
    with site.send(upload(900_000, sent=100_000)) as slow:
        assert site.ask("/")[0] == 200
        with site.send(upload(800_000, sent=700_000)) as fast:
            assert site.ask("/")[0] == 200
            head = b"POST /stories/new/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            with site.send(head + b"3d090\r\n" + bytes(250_000)):
                assert slow.makefile("rb").read().startswith(b"HTTP/1.1 503")
            fast.sendall(bytes(100_000))
            assert fast.recv(12).endswith(b" 200")


@pytest.mark.parametrize("path", ["/large", "/large-page"])
def test_client_that_does_not_read_holds_no_thread(site: Running, path: str) -> None:
    with site.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as slow:
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        assert site.ask("/")[0] == 200


def test_trickle_is_cut_when_its_time_is_over(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.send(HALF_BODY) as trickle:
        assert site.ask("/")[0] == 200  # cleaned up since, and the trickle is still there
        monkeypatch.setattr(connections, "GRACE_SECONDS", -1.0)
        assert is_closed(trickle)


def test_steady_upload_is_not_cut(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE_SECONDS", 0.0)
    head = b"POST /stories/new/ HTTP/1.0\r\nContent-Length: 300000\r\n\r\n"
    with site.send(head + bytes(200_000)) as client:
        for _ in range(5):
            assert site.ask("/")[0] == 200
        client.sendall(bytes(100_000))
        assert b'"bytes": 300000' in client.makefile("rb").read()


def test_unfinished_requests_up_to_the_limit_keep_nobody_out(start: Start) -> None:
    site = start(connection_limit=20)
    with ExitStack() as stack:
        held = [stack.enter_context(site.send(HALF_HEAD)) for _ in range(40)]
        assert site.ask("/")[0] == 200
        assert is_closed(held[0])  # the oldest gave way


@pytest.fixture
def busy(site: Running) -> Running:
    """Occupy the only thread for pages, with a short patience."""
    site.server.task_dispatcher.pages.patience = Patience(burst=0.3, standing=0.3)
    site.held = site.ask_later("/slow")
    assert site.application.entered.acquire(timeout=WAIT)
    return site


def test_overload_is_503_in_words_with_retry_after(busy: Running) -> None:
    status, headers, body = busy.ask("/stories/")

    assert status == 503
    assert 1 <= int(headers["Retry-After"]) <= 10
    assert headers["Content-Type"].startswith("text/html")
    assert b"try again in a few seconds" in body


def test_overload_is_a_problem_for_the_api(busy: Running) -> None:
    status, headers, body = busy.ask("/api/v1/stories/")

    assert status == 503
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["retry_after"] == int(headers["Retry-After"])


@pytest.mark.parametrize("path", ["/healthz", "/static/css/storify.css"])
def test_overload_leaves_health_and_static_files_alone(busy: Running, path: str) -> None:
    assert busy.ask(path)[0] == 200


def test_overload_still_serves_what_has_begun(busy: Running) -> None:
    assert busy.ask("/")[0] == 503
    busy.application.release.set()

    assert busy.held()[0] == 200
    assert busy.ask("/")[0] == 200


def test_uploads_leave_the_threads_for_pages_free(site: Running) -> None:
    head = b"POST /stories/new/slow HTTP/1.0\r\nContent-Length: 100000\r\n\r\n"
    with site.send(head + bytes(100_000)):
        assert site.application.entered.acquire(timeout=WAIT)
        assert site.ask("/")[0] == 200


@pytest.mark.parametrize(
    ("waited", "standing_for", "late"),
    [(0.9, 0.0, False), (1.1, 0.0, True), (0.1, 9.0, False), (0.3, 9.0, True)],
)
def test_a_burst_may_wait_longer_than_a_standing_queue(
    waited: float, standing_for: float, late: bool
) -> None:
    now = 100.0
    lane = Lane(0, Patience(burst=1.0, standing=0.2), clock=lambda: now)
    first, last = (SimpleNamespace(requests=[SimpleNamespace()]) for _ in range(2))
    lane.add_task(first)  # type: ignore[arg-type]
    now += standing_for
    lane.add_task(last)  # type: ignore[arg-type]
    now += waited

    assert lane.is_late(last.requests[0]) is late
    assert (last in lane.take_late()) is late


def test_head_is_answered_without_a_body(site: Running) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=WAIT)) as client:
        for path in ("/large", "/"):
            client.request("HEAD", path)
            client.getresponse().read()
        client.request("GET", "/")  # on the same connection: nothing of a body is in the way
        assert client.getresponse().status == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 9000, b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x" * 9000, b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n", b"413"),
        (b"POST /stories/new/ HTTP/1.1\r\nContent-Length: 900000000\r\n\r\n", b"413"),
    ],
)
def test_request_beyond_a_limit_is_refused_at_once(
    site: Running, request_bytes: bytes, status: bytes
) -> None:
    with site.send(request_bytes) as client:
        assert client.recv(12).endswith(b" " + status)
    assert site.application.calls == []


def test_addresses_that_clients_claim_are_not_believed(site: Running) -> None:
    _, _, body = site.ask("/", X_Forwarded_For="192.0.2.7", X_Forwarded_Proto="https")

    assert json.loads(body) == {"bytes": 0, "address": "127.0.0.1", "forwarded": None}


def test_behind_a_proxy_its_word_counts(settings: Settings, start: Start) -> None:
    settings.BEHIND_PROXY = True
    spoofed = "198.51.100.1, 192.0.2.7"
    _, _, body = start().ask("/", X_Forwarded_For=spoofed, X_Forwarded_Proto="https")

    assert json.loads(body) == {"bytes": 0, "address": "192.0.2.7", "forwarded": "https"}


def test_server_does_not_say_what_it_is(site: Running) -> None:
    _, headers, _ = site.ask("/")
    assert not {"Server", "Via"} & headers.keys()


def test_stop_answers_what_has_arrived_and_takes_nothing_new(site: Running) -> None:
    held = site.ask_later("/slow")
    assert site.application.entered.acquire(timeout=WAIT)
    with site.send(HALF_HEAD) as half:
        site.server.stop()
        assert is_closed(half)
    with pytest.raises(ConnectionRefusedError):
        site.ask("/")
    site.application.release.set()
    assert held()[0] == 200
    site.thread.join(WAIT)
    assert not site.thread.is_alive()
