"""python manage.py measure_search"""

from __future__ import annotations

import json
import random
import string
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors
from recommender.catalogue.shared_tracks import shared
from recommender.engine.tracks.song_keys import fold
from recommender.models import Track

FOUND_WITHIN = 10


class Command(BaseCommand):
    help = (
        "Search for tracks of this catalogue by title and first artist, typed correctly and with "
        "one and two typos, and report how often and how quickly they're found."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=500, help="number of tracks to search for")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        tracks = _sample_tracks(options["n"], options["seed"])
        if not tracks:
            raise CommandError("There are no tracks to search for.")
        result: dict[str, Any] = {"n": len(tracks), "catalogue": Track.objects.count()}
        for slips in (0, 1, 2):
            rng = random.Random(options["seed"])
            result[f"{slips}_slips"] = _measure(tracks, slips, rng)
        self.stdout.write(json.dumps(result) if options["json"] else _as_text(result))


def _sample_tracks(n: int, seed: int) -> list[Track]:
    """A random sample of tracks with titles in Latin letters, as the typos are."""
    ids = [*Track.objects.filter(shared()).order_by("pk").values_list("pk", flat=True)]
    random.Random(seed).shuffle(ids)
    drawn = Track.objects.in_bulk(ids[: 2 * n])
    tracks = [drawn[track_id] for track_id in ids if track_id in drawn]
    return [track for track in tracks if fold(track.title).isascii() and fold(track.title)][:n]


def _measure(tracks: list[Track], slips: int, rng: random.Random) -> dict[str, float]:
    first = within = 0
    milliseconds = []
    for track in tracks:
        typed = _with_typos(fold(f"{track.title} {track.artists[0]}"), slips, rng)
        started = time.perf_counter()
        song_keys = [result.song_key for result in selectors.search_tracks(typed, FOUND_WITHIN)]
        milliseconds.append(1000 * (time.perf_counter() - started))
        first += song_keys[:1] == [track.song_key]
        within += track.song_key in song_keys
    milliseconds.sort()
    return {
        "found_first": round(first / len(tracks), 3),
        f"found_within_{FOUND_WITHIN}": round(within / len(tracks), 3),
        "p50_ms": round(milliseconds[len(tracks) // 2], 1),
        "p95_ms": round(milliseconds[len(tracks) * 95 // 100], 1),
    }


def _with_typos(text: str, slips: int, rng: random.Random) -> str:
    """The text with random letters deleted, inserted, replaced or swapped."""
    for _ in range(slips):
        at = rng.randrange(len(text))
        kind = rng.choice(("delete", "insert", "replace", "swap"))
        letter = rng.choice(string.ascii_lowercase)
        text = {
            "delete": text[:at] + text[at + 1 :],
            "insert": text[:at] + letter + text[at:],
            "replace": text[:at] + letter + text[at + 1 :],
            "swap": text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        }[kind] or text
    return text


def _as_text(result: dict[str, Any]) -> str:
    lines = [f"{result['n']} tracks searched for among {result['catalogue']}"]
    for slips in (0, 1, 2):
        figures = ", ".join(f"{name} {value}" for name, value in result[f"{slips}_slips"].items())
        lines.append(f"  {slips} slips: {figures}")
    return "\n".join(lines)
