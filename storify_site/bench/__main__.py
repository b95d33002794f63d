"""`make bench`: benchmarks of Storify's speed and memory on this machine.

Starts a separate site (own folder, own port), sends photos to it over HTTP and stops it again.
Prints a table to standard error and one JSON object to standard output.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from storify_site.bench.figures import table
from storify_site.bench.overload import measure_overload, overload_table
from storify_site.bench.photos import measure_analysis, measure_photos, photos
from storify_site.bench.reviews import measure_reviews, review_table
from storify_site.bench.site import own_environment, running_site
from storify_site.bench.suggestions import measure_suggestions
from storify_site.bench.videos import measure_videos, video_table
from storify_site.local.free_port import free_port


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks and print the results."""
    options = _options(arguments)
    data = Path(options.data) if options.data else None
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:
        environment = own_environment(Path(folder), options.port or free_port())
        if options.overload:
            _print_overload(environment, data)
            return
        if options.videos:
            _print_videos(environment, photos(options.n, data))
            return
        if options.reviews:
            _print_reviews(environment, options.n)
            return
        with running_site(environment) as site:
            first_start = site.start_seconds
        with running_site(environment) as site:
            result = {
                "machine": _machine(),
                "start_seconds": {"from_nothing": first_start, "again": site.start_seconds},
                **measure_photos(site, photos(options.n, data)),
                "memory": site.memory(),
                "analysis": measure_analysis(site, options.n, data),
                "suggestions": measure_suggestions(site, options.tracks, data, options.recall),
            }
    sys.stderr.write(table(result))
    sys.stdout.write(json.dumps(result) + "\n")


def _print_overload(environment: dict[str, str], data: Path | None) -> None:
    with running_site(environment) as site:
        result = {"machine": _machine(), **measure_overload(site, photos(1, data)[0])}
    sys.stderr.write(overload_table(result))
    sys.stdout.write(json.dumps(result) + "\n")


def _print_videos(environment: dict[str, str], pictures: list[bytes]) -> None:
    with running_site(environment) as site:
        result = {"machine": _machine(), "videos": measure_videos(site, pictures)}
    sys.stderr.write(video_table(result))
    sys.stdout.write(json.dumps(result) + "\n")


def _print_reviews(environment: dict[str, str], n: int) -> None:
    with running_site(environment) as site:
        result = {"machine": _machine(), "reviews": measure_reviews(site, n)}
    sys.stderr.write(review_table(result))
    sys.stdout.write(json.dumps(result) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("-n", type=int, default=60, help="how many photos (default 60)")
    parser.add_argument(
        "--tracks",
        type=int,
        default=100_000,
        help="least size of the catalogue; tracks missing from --data are generated from it",
    )
    parser.add_argument(
        "--recall",
        type=int,
        default=0,
        metavar="N",
        help="for N moods, compare the candidates with a scan of the whole catalogue (slow)",
    )
    parser.add_argument(
        "--overload",
        action="store_true",
        help="only measure overload: half-sent requests, and more requests than capacity",
    )
    parser.add_argument(
        "--reviews",
        action="store_true",
        help="only measure reviews by keyboard in Chromium: their pace, and the next photo's wait",
    )
    parser.add_argument(
        "--videos",
        action="store_true",
        help="only measure short videos, made from the photos",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port of the site (default: a free one)"
    )
    parser.add_argument(
        "--data",
        default=os.environ.get("STORIFY_DATA", ""),
        help="folder with vision/har.parquet (default STORIFY_DATA; else photos are generated)",
    )
    return parser.parse_args(arguments)


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


if __name__ == "__main__":
    main()
