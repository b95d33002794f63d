"""`make reliability CHECK=…`: measures whether the site holds under attack, faults and load.

Everything runs on 127.0.0.1 in folders of its own. Prints a table to standard error and one JSON
object to standard output.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import django
from django.core.management import call_command
from django.db import connections

from storify_site import local
from storify_site.bench.reliability import chaos, faults, fuzz, load
from storify_site.bench.site import Site, own_environment, running_site
from storify_site.local.free_port import free_port

Rows = list[tuple[str, str, str]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one check and print its result."""
    signal.signal(signal.SIGTERM, _interrupt)  # so that the site is stopped as well
    options = _options(arguments)
    result, rows = options.run(options)
    lines = [f"{name:44} {measured:>20}   {goal}" for name, measured, goal in rows]
    sys.stderr.write("\n".join([f"{'':44} {'measured':>20}   goal", *lines, ""]))
    sys.stdout.write(json.dumps(result) + "\n")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fuzz(options: argparse.Namespace) -> tuple[dict[str, Any], Rows]:
    result = fuzz.fuzz(options.n, options.seed, options.seconds)
    return result, fuzz.table(result)


def _load(options: argparse.Namespace) -> tuple[dict[str, Any], Rows]:
    with _own_site() as site:  # with a web process for each of the two cores
        result = load.measure_load(
            site,
            rate=options.rate,
            seconds=options.seconds,
            stories=options.stories,
            tracks=options.tracks,
        )
    return result, load.table(result)


def _access(_options: argparse.Namespace) -> tuple[dict[str, Any], Rows]:
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:
        os.environ.update(own_environment(Path(folder), free_port()))
        with local.lease():
            django.setup()
            call_command("migrate", interactive=False, verbosity=0)
            # Its models need Django to be set up.
            from storify_site.bench.reliability import access

            result = access.measure_access()
            connections.close_all()
    return result, access.table(result)


def _chaos(options: argparse.Namespace) -> tuple[dict[str, Any], Rows]:
    with (
        tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder,
        faults.small_disk(Path(folder) / "media") as disk,
        running_site(own_environment(Path(folder), free_port()) | {"WEB_PROCESSES": "2"}) as site,
    ):
        result = chaos.measure_chaos(
            site,
            n=options.n,
            pause=options.pause,
            seed=options.seed,
            frozen=options.frozen,
            disk=disk,
        )
    return result, chaos.table(result)


@contextmanager
def _own_site() -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder,
        running_site(own_environment(Path(folder), free_port()) | {"WEB_PROCESSES": "2"}) as site,
    ):
        yield site


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="reliability", description=__doc__)
    checks = parser.add_subparsers(required=True, metavar="CHECK")
    one = checks.add_parser("fuzz", help=fuzz.__doc__, description=fuzz.__doc__)
    one.add_argument("-n", type=int, default=10_000, help="how many uploads (default 10,000)")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--seconds", type=float, default=7200, help="stop after this time")
    one.set_defaults(run=_fuzz)
    one = checks.add_parser("load", help=load.__doc__, description=load.__doc__)
    one.add_argument("--rate", type=float, default=50, help="requests a second (default 50)")
    one.add_argument("--seconds", type=float, default=600, help="for how long (default 600)")
    one.add_argument("--stories", type=int, default=500, help="stories at the start (100,000 …)")
    one.add_argument("--tracks", type=int, default=0, help="tracks beside the demo's (1,000,000 …)")
    one.set_defaults(run=_load)
    one = checks.add_parser("chaos", help=chaos.__doc__, description=chaos.__doc__)
    one.add_argument("-n", type=int, default=200, help="how many stories (default 200)")
    one.add_argument("--pause", type=float, default=2, help="seconds between uploads (default 2)")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--frozen", type=float, default=20, help="seconds of a pause (default 20)")
    one.set_defaults(run=_chaos)
    about = "every address and method as seven kinds of visitor, against one table"
    one = checks.add_parser("access", help=about, description=about)
    one.set_defaults(run=_access)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
