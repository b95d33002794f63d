"""Measure photos from upload to ready."""

import io
import json
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from storify_site.bench.figures import quantile
from storify_site.bench.site import READY_SECONDS, Site, manage

DEMO = {"email": "demo@storify.test", "password": "storify-demo"}
CAPTIONS = ("finally home", "what a day!", "rain again", "", "работа, работа", "party time")
POLL_SECONDS = 0.03


def photos(n: int, data: Path | None) -> list[bytes]:
    """Return JPEGs of about two megapixels: enlarged real photos if available, else drawings."""
    source = data / "vision" / "har.parquet" if data else None
    if source and source.is_file():
        return [_enlarged(image) for image in _har(source, n)]
    return [_drawn(number) for number in range(n)]


def _har(source: Path, n: int) -> list[bytes]:
    import pyarrow.parquet as pq

    images: list[bytes] = []
    for batch in pq.ParquetFile(source).iter_batches(64, columns=["image", "split"]):
        images += [row["image"] for row in batch.to_pylist() if row["split"] == "test"]
        if len(images) >= n:
            break
    return images[:n]


def _enlarged(image: bytes) -> bytes:
    from PIL import Image

    photo = Image.open(io.BytesIO(image)).convert("RGB")
    factor = (2_000_000 / (photo.width * photo.height)) ** 0.5
    return _jpeg(photo.resize((round(photo.width * factor), round(photo.height * factor))))


def _drawn(number: int) -> bytes:
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(number)
    small = random.integers(0, 256, (12, 18, 3), dtype=np.uint8)
    return _jpeg(Image.fromarray(small).resize((1728, 1152), Image.Resampling.BICUBIC))


def _jpeg(photo: Any) -> bytes:
    out = io.BytesIO()
    photo.save(out, "JPEG", quality=90)
    return out.getvalue()


@contextmanager
def signed_in(site: Site) -> Iterator[httpx.Client]:
    """Yield a client of the site's API, signed in as the demo person."""
    with httpx.Client(base_url=site.url, timeout=30) as client:
        token = client.post("/api/v1/auth/token", json=DEMO).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Token {token}"
        yield client


def upload_and_wait(client: httpx.Client, photo: bytes) -> str:
    """Upload a photo, wait for its analysis and return the story's URL path."""
    address = _upload(client, photo, CAPTIONS[0])
    _ready(client, address)
    return address


def measure_photos(site: Site, files: list[bytes]) -> dict[str, Any]:
    """Measure upload to ready, faces included, one by one and then with a full queue."""
    with signed_in(site) as client:
        started = time.perf_counter()
        _ready(client, _upload(client, files[0], ""))
        first = time.perf_counter() - started
        return {
            "first_photo_seconds": round(first, 2),
            "photo": _one_by_one(client, files),
            "queue": _queue_full(client, files),
        }


def measure_analysis(site: Site, n: int, data: Path | None) -> dict[str, Any]:
    """Measure the analysis alone, in a separate process beside the idle site."""
    source = ["--data", os.fspath(data)] if data else []
    result: dict[str, Any] = json.loads(
        manage(site.environment, "bench_analysis", "-n", str(n), *source)
    )
    return result


def _one_by_one(client: httpx.Client, files: list[bytes]) -> dict[str, Any]:
    uploads, totals = [], []
    for number, file in enumerate(files):
        started = time.perf_counter()
        address = _upload(client, file, CAPTIONS[number % len(CAPTIONS)])
        uploads.append(time.perf_counter() - started)
        _ready(client, address)
        totals.append(time.perf_counter() - started)
    return {
        "n": len(files),
        "mean_bytes": round(statistics.mean(map(len, files))),
        "upload_p50_seconds": quantile(uploads, 50),
        "ready_p50_seconds": quantile(totals, 50),
        "ready_p95_seconds": quantile(totals, 95),
    }


def _queue_full(client: httpx.Client, files: list[bytes]) -> dict[str, Any]:
    started = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        addresses = list(pool.map(lambda file: _upload(client, file, CAPTIONS[0]), files))
    for address in addresses:
        _ready(client, address, poll=0.2)
    seconds = time.perf_counter() - started
    return {"n": len(files), "photos_per_second": round(len(files) / seconds, 2)}


def _upload(client: httpx.Client, file: bytes, caption: str) -> str:
    reply = client.post(
        "/api/v1/stories/",
        data={"caption": caption},
        files={"photo": ("photo.jpg", file, "image/jpeg")},
    )
    return f"/api/v1/stories/{reply.raise_for_status().json()['id']}/"


def _ready(client: httpx.Client, address: str, poll: float = POLL_SECONDS) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        story = client.get(address).raise_for_status().json()
        if story["status"] == "ready":
            return
        if story["status"] == "failed":
            raise SystemExit(f"An analysis failed: {story['error']}")
        time.sleep(poll)
    raise SystemExit("An analysis did not end.")
