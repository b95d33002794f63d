"""`make bench`: how fast and how heavy Storify is on this machine.

Starts a whole site of its own (own folder, own port), sends photos to it over HTTP as a client
would, and stops it again. Prints a table on standard error and one JSON object on standard output.
"""

import argparse
import io
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from storify_site.free_port import free_port

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO = {"email": "demo@storify.test", "password": "storify-demo"}
CAPTIONS = ("finally home", "what a day!", "rain again", "", "работа, работа", "party time")
POLL_SECONDS = 0.03
READY_SECONDS = 120.0


@dataclass
class Site:
    """A running site and its processes."""

    url: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    start_seconds: float

    def memory(self) -> dict[str, float]:
        """Resident megabytes: of the largest web process and of the inference worker's."""
        web, worker = [0.0], [0.0]
        for child in psutil.Process(self.process.pid).children(recursive=True):
            command = " ".join(child.cmdline())
            megabytes = child.memory_info().rss / 1e6
            if "gunicorn" in command:
                web.append(megabytes)
            elif "-Q inference" in command and "until" not in command:
                worker.append(megabytes)
        return {"web_mb": max(web), "worker_mb": max(worker)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and print it."""
    options = _options(arguments)
    data = Path(options.data) if options.data else None
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:
        environment = _environment(Path(folder), options.port or free_port())
        with running_site(environment) as site:
            first_start = site.start_seconds
        with running_site(environment) as site:
            result = {
                "machine": _machine(),
                "start_seconds": {"from_nothing": first_start, "again": site.start_seconds},
                **measure_photos(site, photos(options.n, data)),
                "memory": site.memory(),
                "suggestions": measure_suggestions(environment, options.tracks, data),
            }
    sys.stderr.write(table(result))
    sys.stdout.write(json.dumps(result) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("-n", type=int, default=60, help="how many photos (default 60)")
    parser.add_argument("--tracks", type=int, default=100_000, help="size of the catalogue")
    parser.add_argument(
        "--port", type=int, default=0, help="port of the site (default: a free one)"
    )
    parser.add_argument(
        "--data",
        default=os.environ.get("STORIFY_DATA", ""),
        help="folder with vision/har.parquet (default STORIFY_DATA; else photos are drawn)",
    )
    return parser.parse_args(arguments)


def _environment(var: Path, port: int) -> dict[str, str]:
    foreign = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SITE_URL", "SPOTIFY_CLIENT_ID"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {
        **kept,
        "ENV_FILE": os.devnull,
        "VAR_DIR": os.fspath(var),
        "DEBUG": "1",
        "PORT": str(port),
        "API_RATE": "1000000/min",
        "STORIES_UPLOAD_RATE": "1000000/min",
        "DJANGO_SETTINGS_MODULE": "storify_site.settings",
    }


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


@contextmanager
def running_site(environment: dict[str, str]) -> Iterator[Site]:
    """A site that answers; stopped as Ctrl-C would stop it."""
    url = f"http://127.0.0.1:{environment['PORT']}"
    started = time.monotonic()
    log = Path(environment["VAR_DIR"]) / "site.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "storify_site.run"],
            cwd=BASE_DIR,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, url, log)
        yield Site(url, environment, process, round(time.monotonic() - started, 2))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _first_page(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The site did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.1)


def _first_page(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10, follow_redirects=True).is_success
    except httpx.HTTPError:
        return False


# --- Photos ---------------------------------------------------------------------------------------


def photos(n: int, data: Path | None) -> list[bytes]:
    """JPEGs of about two megapixels: real photos made larger where there are any, else drawn."""
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


def measure_photos(site: Site, files: list[bytes]) -> dict[str, Any]:
    """Upload to ready, first one after the other, then with the queue full."""
    with httpx.Client(base_url=site.url, timeout=30) as client:
        token = client.post("/api/v1/auth/token", json=DEMO).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Token {token}"
        started = time.perf_counter()
        _ready(client, _upload(client, files[0], ""))
        first = time.perf_counter() - started
        return {
            "first_photo_seconds": round(first, 2),
            "photo": _one_by_one(client, files),
            "queue": _queue_full(client, files),
        }


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


# --- Suggestions ----------------------------------------------------------------------------------


def measure_suggestions(
    environment: dict[str, str], tracks: int, data: Path | None
) -> dict[str, Any]:
    """Import a catalogue and time suggest_tracks on it, in a process that knows this database."""
    catalogue = data / "music" / "tracks.parquet" if data else None
    folder = Path(environment["VAR_DIR"])
    if not (catalogue and catalogue.is_file()):
        catalogue = folder / "catalogue.csv"
        _write_catalogue(catalogue, tracks)
    started = time.perf_counter()
    _manage(environment, "import_tracks", os.fspath(catalogue), "--json")
    imported = time.perf_counter() - started
    measured = _manage(environment, "bench_suggestions", "--json")
    return {**json.loads(measured), "import_seconds": round(imported, 1)}


def _manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


def _write_catalogue(path: Path, n: int) -> None:
    import csv

    import numpy as np

    random = np.random.default_rng(0)
    mood = random.multivariate_normal([0.51, 0.61], [[0.064, 0.019], [0.019, 0.057]], n).clip(0, 1)
    names = ("danceability", "speechiness", "acousticness", "instrumentalness", "liveness")
    rest = random.beta(2, 3, (n, len(names)))
    header = ("track_id", "track_name", "artists", "album_name", "popularity", "valence", "energy")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *names, "key", "mode", "loudness", "tempo", "duration_ms"])
        for row in range(n):
            own = (
                f"bench{row:017d}",
                f"Song {row}",
                f"Artist {row % 9000}",
                f"Album {row % 20000}",
            )
            numbers = [round(float(value), 4) for value in (*mood[row], *rest[row])]
            popularity, last = int(random.integers(0, 101)), [row % 12, row % 2, -8.5, 120, 200_000]
            writer.writerow([*own, popularity, *numbers, *last])


# --- What people read -----------------------------------------------------------------------------


def quantile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of them do not exceed."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 4)


def table(result: dict[str, Any]) -> str:
    """One line per figure, the goal beside it where there is one."""
    photo, memory = result["photo"], result["memory"]
    suggestions, start = result["suggestions"], result["start_seconds"]
    rows = [
        (f"upload to ready, p50 of {photo['n']}", f"{photo['ready_p50_seconds']:.2f} s", "0.6 s"),
        (f"upload to ready, p95 of {photo['n']}", f"{photo['ready_p95_seconds']:.2f} s", "1.2 s"),
        ("the very first photo", f"{result['first_photo_seconds']:.2f} s", ""),
        ("with the queue full", f"{result['queue']['photos_per_second']:.2f} photos/s", ""),
        ("inference worker, resident", f"{memory['worker_mb']:.0f} MB", "1200 MB"),
        ("web process, resident", f"{memory['web_mb']:.0f} MB", "200 MB"),
        (
            f"suggestions over {suggestions['tracks']:,} tracks, p50",
            f"{suggestions['p50_ms']:.1f} ms",
            "50 ms",
        ),
        ("  and p95", f"{suggestions['p95_ms']:.1f} ms", ""),
        ("from start to first page, new data", f"{start['from_nothing']:.1f} s", "90 s"),
        ("from start to first page, again", f"{start['again']:.1f} s", ""),
    ]
    machine = result["machine"]
    lines = [f"{name:44} {value:>14}   {goal}" for name, value, goal in rows]
    head = f"{'':44} {'measured':>14}   goal"
    foot = f"{machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}"
    return "\n".join([head, *lines, foot, ""])


if __name__ == "__main__":
    main()
