"""Measure the site under slow clients and overload.

The load is open: requests are sent on schedule whether or not earlier ones were answered, like
those of independent users.
"""

import asyncio
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from storify_site.bench.figures import quantile
from storify_site.bench.photos import signed_in, upload_and_wait
from storify_site.bench.site import Site

HALF_SENT = 40
ORDINARY = 60
CAPACITY_SECONDS = 6.0
CONCURRENT = 8
LOAD_SECONDS = 10.0
TIMES_CAPACITY = (0.5, 1.0, 2.0, 4.0)
GIVE_UP_SECONDS = 60.0
HEALTH_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Reply:
    """The outcome of one request; status 0 without an answer."""

    status: int
    seconds: float
    retry_after: bool = False


class Target:
    """A URL of the site that uses the database and renders a whole story."""

    def __init__(self, site: Site, path: str, authorization: str) -> None:
        parts = urlsplit(site.url)
        self.host, self.port = parts.hostname or "", parts.port or 0
        self._request = self._head("GET", path, authorization)
        self._health = self._head("GET", "/healthz", authorization)

    def _head(self, method: str, path: str, authorization: str) -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: {authorization}\r\nConnection: close\r\n\r\n"
        ).encode()

    async def get(self, *, health: bool = False) -> Reply:
        """Send one request on a separate connection."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                answer = await self._exchange(self._health if health else self._request)
            head = answer.partition(b"\r\n\r\n")[0]
            status, retry_after = int(head.split(b" ", 2)[1]), b"\r\nRetry-After: " in head
        except (OSError, TimeoutError, IndexError, ValueError):
            status, retry_after = 0, False
        return Reply(status, time.perf_counter() - started, retry_after)

    async def _exchange(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(request)
            return await reader.read(-1)
        finally:
            writer.close()

    @contextmanager
    def half_sent(self, n: int) -> Iterator[None]:
        """Hold `n` incomplete requests open: half lack the end of the head, half of the body."""
        halves = (
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            b"POST /stories/new/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nab",
        )
        with ExitStack() as stack:
            for number in range(n):
                held = socket.create_connection((self.host, self.port), timeout=10)
                stack.enter_context(held).sendall(halves[number % 2])
            yield


def measure_overload(site: Site, photo: bytes) -> dict[str, Any]:
    """Measure requests alone, beside half-sent ones, and at rates below and above capacity."""
    with signed_in(site) as client:
        path = upload_and_wait(client, photo)
        target = Target(site, path, client.headers["Authorization"])
    return asyncio.run(_measure(target))


async def _measure(target: Target) -> dict[str, Any]:
    alone = await _one_by_one(target)
    with target.half_sent(HALF_SENT):
        beside = await _one_by_one(target)
    capacity = await _capacity(target)
    loads = [await _load(target, capacity * times) for times in TIMES_CAPACITY]
    return {
        "alone": alone,
        "beside_half_sent": {"half_sent": HALF_SENT, **beside},
        "capacity_per_second": round(capacity, 1),
        "loads": loads,
        "afterwards": await _one_by_one(target),
    }


async def _one_by_one(target: Target) -> dict[str, Any]:
    return _summary([await target.get() for _ in range(ORDINARY)])


async def _capacity(target: Target) -> float:
    """Return answers per second to a few clients that send one request at a time."""
    ends = time.perf_counter() + CAPACITY_SECONDS

    async def ask() -> int:
        served = 0
        while time.perf_counter() < ends:
            served += (await target.get()).status == 200
        return served

    return sum(await asyncio.gather(*(ask() for _ in range(CONCURRENT)))) / CAPACITY_SECONDS


async def _load(target: Target, rate: float) -> dict[str, Any]:
    """Measure requests at a steady rate, and `/healthz` meanwhile."""
    async with asyncio.TaskGroup() as group:
        health = [
            group.create_task(_after(number * HEALTH_EVERY_SECONDS, target, health=True))
            for number in range(int(LOAD_SECONDS / HEALTH_EVERY_SECONDS))
        ]
        sent = [
            group.create_task(_after(number / rate, target))
            for number in range(int(LOAD_SECONDS * rate))
        ]
    seconds = [task.result().seconds for task in health if task.result().status == 200]
    return {
        "per_second": round(rate, 1),
        **_summary([task.result() for task in sent]),
        "healthz": {"n": len(health), "answered": len(seconds), "p99_seconds": _p99(seconds)},
    }


async def _after(seconds: float, target: Target, *, health: bool = False) -> Reply:
    await asyncio.sleep(seconds)
    return await target.get(health=health)


def _summary(replies: Sequence[Reply]) -> dict[str, Any]:
    served = [reply.seconds for reply in replies if reply.status == 200]
    refused = [reply for reply in replies if reply.status == 503 and reply.retry_after]
    return {
        "n": len(replies),
        "served": len(served),
        "p50_seconds": round(statistics.median(served), 3) if served else None,
        "p99_seconds": _p99(served),
        "refused": len(refused),
        "refused_p99_seconds": _p99([reply.seconds for reply in refused]),
        "errors": len(replies) - len(served) - len(refused),
    }


def _p99(seconds: Sequence[float]) -> float | None:
    return quantile(seconds, 99) if seconds else None


def overload_table(result: dict[str, Any]) -> str:
    """Return one line per load."""
    rows = [
        ("one after the other", result["alone"]),
        (f"  beside {HALF_SENT} half-sent requests", result["beside_half_sent"]),
        *((f"{load['per_second']:.0f} requests a second", load) for load in result["loads"]),
        ("one after the other, afterwards", result["afterwards"]),
    ]
    head = f"{'':36} {'n':>6} {'served':>7} {'p50':>8} {'p99':>8} {'refused':>8} {'errors':>7}"
    capacity = f"capacity: {result['capacity_per_second']} requests a second; goal: p99 of 2 s"
    return "\n".join([head, *(_row(name, load) for name, load in rows), capacity, ""])


def _row(name: str, load: dict[str, Any]) -> str:
    p50, p99 = (
        "-" if load[key] is None else f"{load[key]:.2f} s" for key in ("p50_seconds", "p99_seconds")
    )
    counts = f"{load['refused']:>8} {load['errors']:>7}"
    return f"{name:36} {load['n']:>6} {load['served']:>7} {p50:>8} {p99:>8} {counts}"
