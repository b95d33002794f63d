"""`load`: mixed use at a fixed rate, as by people who don't wait for one another.

Histories, stories, drags of the mood, choices, and an upload every tenth time, over HTTP. Counts
what isn't answered with success, and measures how long answers take and whether memory stays flat.
"""

import asyncio
import json
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from storify_site.bench.figures import quantile
from storify_site.bench.photos import photos, signed_in, upload_and_wait
from storify_site.bench.site import Site, manage
from storify_site.bench.suggestions import fill_catalogue

SHARES = {"history": 0.3, "story": 0.3, "drag": 0.15, "choose": 0.15, "upload": 0.1}
TIMEOUT_SECONDS = 30.0
MEMORY_EVERY_SECONDS = 5.0


@dataclass
class Person:
    """Somebody with stories; `music` holds the tracks that were suggested last, by story."""

    token: str
    client: httpx.AsyncClient = field(init=False)
    stories: list[str] = field(default_factory=list)
    music: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Measured:
    milliseconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    memory: list[dict[str, float]] = field(default_factory=list)


def measure_load(
    site: Site, *, rate: float, seconds: float, stories: int, tracks: int, people: int = 50
) -> dict[str, Any]:
    """Fill the site up to this many stories and tracks, then use it at this rate."""
    if tracks:
        fill_catalogue(site.environment, tracks, None)
    made = json.loads(
        manage(site.environment, "bench_stories", "-n", str(stories), "--people", str(people))
    )
    files = photos(20, None)
    with signed_in(site) as client:  # the models are loaded before the time runs
        upload_and_wait(client, files[0])
    everybody = [Person(token) for token in made["tokens"]]
    run = _Run(site, everybody, files)
    measured = asyncio.run(run.at(rate, seconds))
    everything = [wait for waits in measured.milliseconds.values() for wait in waits]
    return {
        "rate": rate,
        "seconds": seconds,
        "stories": made["stories"],
        "tracks": tracks,
        "requests": len(everything),
        "errors": dict(measured.errors),
        "all": _spread(everything),
        **{kind: _spread(waits) for kind, waits in sorted(measured.milliseconds.items())},
        "memory": {part: _growth(measured.memory, part) for part in ("web_mb", "worker_mb")},
    }


class _Run:
    def __init__(self, site: Site, people: list[Person], files: list[bytes]) -> None:
        self._site, self._people, self._files = site, people, files
        self._chance = random.Random(0)
        self._measured = Measured()

    async def at(self, rate: float, seconds: float) -> Measured:
        async with AsyncExitStack() as stack:
            for person in self._people:
                # Of their own: one pool for all costs the more time the more requests it has.
                person.client = await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=self._site.url,
                        timeout=TIMEOUT_SECONDS,
                        headers={"Authorization": f"Token {person.token}"},
                        verify=False,  # noqa: S501 - it's HTTP; this saves reading certificates
                    )
                )
                await self._history(person)
            self._measured = Measured()  # the first requests only fill what people know
            watch = asyncio.create_task(self._watch())
            await self._send(rate, seconds)
            watch.cancel()
        return self._measured

    async def _send(self, rate: float, seconds: float) -> None:
        started, sent = time.perf_counter(), []
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            kind = self._chance.choices([*SHARES], [*SHARES.values()])[0]
            sent.append(asyncio.create_task(self._use(kind)))
        await asyncio.gather(*sent)

    async def _use(self, kind: str) -> None:
        uses: dict[str, Callable[[Person], Awaitable[httpx.Response]]] = {
            "history": self._history,
            "story": self._story,
            "drag": self._drag,
            "choose": self._choose,
            "upload": self._upload,
        }
        started = time.perf_counter()
        try:
            reply = await uses[kind](self._chance.choice(self._people))
        except httpx.HTTPError as error:
            self._measured.errors[f"{kind}: {type(error).__name__}"] += 1
        else:
            if reply.is_error:
                self._measured.errors[f"{kind}: {reply.status_code}{_code(reply)}"] += 1
        self._measured.milliseconds[kind].append(1000 * (time.perf_counter() - started))

    async def _ask(self, person: Person, method: str, path: str, **given: Any) -> httpx.Response:
        return await person.client.request(method, f"/api/v1/{path}", **given)

    async def _history(self, person: Person) -> httpx.Response:
        reply = await self._ask(person, "GET", "stories/")
        if reply.is_success:
            ready = [one["id"] for one in reply.json()["results"] if one["status"] == "ready"]
            person.stories = ready or person.stories
        return reply

    async def _story(self, person: Person) -> httpx.Response:
        return await self._ask(person, "GET", f"stories/{self._chance.choice(person.stories)}/")

    async def _drag(self, person: Person) -> httpx.Response:
        story = self._chance.choice(person.stories)
        mood = {"valence": self._chance.random(), "energy": self._chance.random()}
        reply = await self._ask(person, "PATCH", f"stories/{story}/", json={"mood": mood})
        if reply.is_success:
            shown = reply.json()["suggestions"]
            person.music = {story: [one["track"]["id"] for one in shown]} if shown else {}
        return reply

    async def _choose(self, person: Person) -> httpx.Response:
        if not person.music:
            return await self._drag(person)
        story, tracks = next(iter(person.music.items()))
        chosen = {"track_id": self._chance.choice(tracks)}
        return await self._ask(person, "POST", f"stories/{story}/choice/", json=chosen)

    async def _upload(self, person: Person) -> httpx.Response:
        files = {"photo": ("photo.jpg", self._chance.choice(self._files), "image/jpeg")}
        headers = {"Idempotency-Key": str(uuid4())}
        return await self._ask(person, "POST", "stories/", files=files, headers=headers)

    async def _watch(self) -> None:
        while True:
            self._measured.memory.append(await asyncio.to_thread(self._site.memory))
            await asyncio.sleep(MEMORY_EVERY_SECONDS)


def _code(reply: httpx.Response) -> str:
    """Tell an overloaded site ("busy") from one of which a part is down."""
    is_problem = "problem+json" in reply.headers.get("Content-Type", "")
    return f" {reply.json().get('code', '')}" if is_problem else ""


def _spread(milliseconds: list[float]) -> dict[str, float]:
    spread = {f"p{part}_ms": quantile(milliseconds or [0.0], part) for part in (50, 95, 99)}
    return {"n": len(milliseconds), **spread}


def _growth(memory: list[dict[str, float]], part: str) -> dict[str, float]:
    """Mean megabytes of the second fifth of the time and of the last."""
    fifth = max(1, len(memory) // 5)
    early, late = memory[fifth : 2 * fifth] or memory, memory[-fifth:]
    means = [statistics.fmean(one[part] for one in some) for some in (early, late)]
    return {"early": round(means[0], 1), "late": round(means[1], 1)}


def table(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of name, measured and goal."""
    memory = result["memory"]
    sizes = [f"{m['early']:.0f} → {m['late']:.0f} MB" for m in memory.values()]
    kinds = [
        (f"  {kind}, p50 and p99 of {result[kind]['n']}", _both(result[kind]), "")
        for kind in SHARES
        if kind in result
    ]
    return [
        (f"{result['requests']} requests at {result['rate']:g} a second", "", ""),
        (f"  with {result['stories']:,} stories, {result['tracks']:,} tracks more", "", ""),
        ("not answered with success", f"{sum(result['errors'].values())}", "0"),
        ("answers, p50 and p99", _both(result["all"]), "p99 1000 ms"),
        *kinds,
        ("memory of web, early and late", sizes[0], "flat"),
        ("memory of inference", sizes[1], "flat"),
    ]


def _both(spread: dict[str, float]) -> str:
    return f"{spread['p50_ms']:.0f}, {spread['p99_ms']:.0f} ms"
