"""`chaos`: parts are killed and frozen while stories come in; none may be lost or be there twice.

Clients upload with an Idempotency-Key and try again until they're told that the story is stored, as
an app does. Faults come one after the other at drawn moments: each part killed and frozen, Redis at
its memory limit, and a full disk, for which the media get a small file system (root only).
"""

import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from storify_site.bench.photos import DEMO, photos
from storify_site.bench.reliability.faults import Fault, faults
from storify_site.bench.site import Site

# Longer than any fault; then the site must have caught up.
READY_SECONDS = 120.0
# Uploads give up this long after the last has begun, so that the whole is bounded.
GIVE_UP_SECONDS = 300.0
RETRY_SECONDS = 1.0
HISTORY_PAUSE_SECONDS = 1.0


def measure_chaos(
    site: Site, *, n: int, pause: float, seed: int, frozen: float, disk: Path | None
) -> dict[str, Any]:
    """Upload `n` stories, one every `pause` seconds, with a fault going on all the while."""
    run = _Run(site, random.Random(seed), faults(site, disk, frozen))
    return asyncio.run(run.measure(n, pause))


class _Run:
    def __init__(self, site: Site, chance: random.Random, known: dict[str, Fault]) -> None:
        self._site, self._chance, self._known = site, chance, known
        self._started = time.monotonic()
        self._done: list[str] = []
        self._stored: list[str | None] = []
        self._retries: Counter[str] = Counter()

    async def measure(self, n: int, pause: float) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self._site.url, timeout=30) as self._client:
            self._client.headers["Authorization"] = f"Token {await _token(self._client)}"
            over = asyncio.Event()
            async with asyncio.TaskGroup() as together:  # a fault that can't be made ends the run
                together.create_task(self._break(over))
                await self._upload_all(n, pause)
                over.set()
            ended = time.monotonic()
            history = await self._settled(ended)
        return {
            "stories": n,
            "faults": dict(Counter(self._done)),
            "disk_filled": "disk full" in self._known,
            "tried_again": dict(self._retries),
            **_counted(self._stored, history),
            "caught_up_seconds": round(time.monotonic() - ended, 1),
            "seconds": round(time.monotonic() - self._started),
        }

    async def _break(self, over: asyncio.Event) -> None:
        """Every fault in drawn order, and again until all is uploaded; at least one round."""
        while True:
            for name in self._chance.sample([*self._known], len(self._known)):
                if over.is_set() and len(self._done) >= len(self._known):
                    return
                await asyncio.sleep(self._chance.uniform(1, 6))
                self._say(f"{name}; {len(self._stored)} uploaded")
                await asyncio.to_thread(self._known[name])
                self._done.append(name)

    async def _upload_all(self, n: int, pause: float) -> None:
        files = photos(8, None)
        deadline = time.monotonic() + n * pause + GIVE_UP_SECONDS
        async with asyncio.TaskGroup() as uploads:
            for number in range(n):
                uploads.create_task(self._upload(files[number % 8], deadline))
                await asyncio.sleep(pause * self._chance.uniform(0.5, 1.5))

    async def _upload(self, photo: bytes, deadline: float) -> None:
        """Upload until the site says that it's stored; note its id, or None if it never does."""
        key = str(uuid4())
        while time.monotonic() < deadline:
            try:
                reply = await self._client.post(
                    "/api/v1/stories/",
                    files={"photo": ("photo.jpg", photo, "image/jpeg")},
                    headers={"Idempotency-Key": key},
                )
            except httpx.HTTPError as error:
                self._retries[type(error).__name__] += 1
            else:
                if reply.is_success:
                    return self._stored.append(str(reply.json()["id"]))
                self._retries[str(reply.status_code)] += 1
            await asyncio.sleep(RETRY_SECONDS)
        return self._stored.append(None)

    async def _settled(self, ended: float) -> list[dict[str, Any]]:
        """The whole history, once nothing is under way or the time is over."""
        while True:
            history = await self._history(ended + READY_SECONDS)
            waiting = sum(1 for one in history if one["status"] not in ("ready", "failed"))
            self._say(f"no fault any more; {waiting} of {len(history)} stories wait")
            if not waiting or time.monotonic() - ended > READY_SECONDS:
                return history
            await asyncio.sleep(HISTORY_PAUSE_SECONDS)

    async def _history(self, deadline: float) -> list[dict[str, Any]]:
        """All stories; those found until the deadline if the site doesn't answer."""
        found: list[dict[str, Any]] = []
        page: str | None = "/api/v1/stories/"
        while page:
            try:
                reply = (await self._client.get(page)).raise_for_status().json()
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(RETRY_SECONDS)
                continue
            found += reply["results"]
            page = reply["next"]
        return found

    def _say(self, what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._started:5.0f} s  {what}\n")
        sys.stderr.flush()


async def _token(client: httpx.AsyncClient) -> str:
    reply = await client.post("/api/v1/auth/token", json=DEMO)
    return str(reply.raise_for_status().json()["token"])


def _counted(stored: list[str | None], history: list[dict[str, Any]]) -> dict[str, Any]:
    there = Counter(one["id"] for one in history)
    states = Counter(one["status"] for one in history)
    return {
        "never_accepted": stored.count(None),
        "lost": sum(1 for one in stored if one and not there[one]),
        "twice": len({*there} - {*stored}),
        "ready": states["ready"],
        "failed": states["failed"],
        "still_waiting": len(history) - states["ready"] - states["failed"],
    }


def table(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of name, measured and goal."""
    n = result["stories"]
    return [
        ("the whole run", f"{result['seconds']} s", ""),
        (f"faults while {n} stories came in", f"{sum(result['faults'].values())}", ""),
        ("  a full disk among them", "yes" if result["disk_filled"] else "no: needs root", "yes"),
        ("  uploads tried again", f"{sum(result['tried_again'].values())}", ""),
        ("never accepted", f"{result['never_accepted']}", "0"),
        ("lost", f"{result['lost']}", "0"),
        ("there twice", f"{result['twice']}", "0"),
        ("ready", f"{result['ready']}", f"{n}"),
        ("  failed, still waiting", f"{result['failed']}, {result['still_waiting']}", "0, 0"),
        ("caught up after the last fault", f"{result['caught_up_seconds']:.0f} s", "120 s"),
    ]
