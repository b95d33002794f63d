"""`--videos`: the time from upload to ready of short videos, while nothing else happens.

Each shows two seconds of a slow pan over a photo, in 1080p at 30 frames a second with a camera's
noise.
"""

import io
import time
from typing import Any

import av
import numpy as np
from PIL import Image

from storify_site.bench.figures import laid_out, quantile
from storify_site.bench.photos import signed_in, upload_and_wait
from storify_site.bench.site import READY_SECONDS, Site

WIDTH, HEIGHT, RATE, FRAMES = 1920, 1080, 30, 60
NOISE = 5.0
GOAL_SECONDS = 3.0


def video_of(photo: bytes, seed: int) -> bytes:
    """Return an MP4 that pans over a photo."""
    noise = np.random.default_rng(seed)
    picture = Image.open(io.BytesIO(photo)).convert("RGB")
    scale = max((WIDTH + 2 * FRAMES) / picture.width, (HEIGHT + FRAMES) / picture.height)
    size = (round(picture.width * scale) + 1, round(picture.height * scale) + 1)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            view = pixels[number : number + HEIGHT, 2 * number : 2 * number + WIDTH]
            noisy = np.clip(view + noise.normal(0, NOISE, (HEIGHT, WIDTH, 1)), 0, 255)
            frame = av.VideoFrame.from_ndarray(noisy.astype(np.uint8), format="rgb24")
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()


def measure_videos(site: Site, photos: list[bytes]) -> dict[str, Any]:
    """Measure one at a time; the next waits until the one before is encoded anew."""
    files = [video_of(photo, seed) for seed, photo in enumerate(photos)]
    seconds = []
    with signed_in(site) as client:
        upload_and_wait(client, photos[0])  # the models are loaded before the time runs
        for file in files:
            started = time.perf_counter()
            address = upload_and_wait(client, file)
            seconds.append(time.perf_counter() - started)
            deadline = time.monotonic() + READY_SECONDS
            while client.get(address).json()["video_status"] == "preparing":
                if time.monotonic() > deadline:
                    raise SystemExit("A video wasn't encoded.")
                time.sleep(0.2)
    return {
        "n": len(seconds),
        "mean_bytes": sum(map(len, files)) // len(files),
        "ready_p50_seconds": quantile(seconds, 50),
        "ready_max_seconds": quantile(seconds, 100),
    }


def video_table(result: dict[str, Any]) -> str:
    """One line per figure, with its goal if it has one."""
    videos = result["videos"]
    median, slowest = videos["ready_p50_seconds"], videos["ready_max_seconds"]
    rows = [
        (f"2 s of 1080p, upload to ready, p50 of {videos['n']}", f"{median:.2f} s", ""),
        ("  and the slowest", f"{slowest:.2f} s", f"{GOAL_SECONDS:g} s"),
    ]
    return laid_out(rows, result["machine"])
