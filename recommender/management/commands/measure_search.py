"""python manage.py measure_search"""

from __future__ import annotations

import json
import random
import string
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors
from recommender.engine.tracks.song_keys import fold
from recommender.models import Track

FOUND_WITHIN = 10


class Command(BaseCommand):
    help = (
        "Look for tracks of this catalogue by title and first artist, as they are and with one "
        "and two slips of the keyboard, and tell how often they are found and how quickly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", type=int, default=500, help="how many tracks to look for")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        tracks = _some_tracks(options["n"], options["seed"])
        if not tracks:
            raise CommandError("There are no tracks to look for.")
        result: dict[str, Any] = {"n": len(tracks), "catalogue": Track.objects.count()}
        for slips in (0, 1, 2):
            chance = random.Random(options["seed"])
            result[f"{slips}_slips"] = _look_for(tracks, slips, chance)
        self.stdout.write(json.dumps(result) if options["json"] else _in_words(result))


def _some_tracks(n: int, seed: int) -> list[Track]:
    """Drawn by chance among all that have words in Latin letters, as the slips are."""
    ids = [*Track.objects.order_by("pk").values_list("pk", flat=True)]
    random.Random(seed).shuffle(ids)
    drawn = Track.objects.in_bulk(ids[: 2 * n])
    known = [drawn[one] for one in ids if one in drawn]
    return [track for track in known if fold(track.title).isascii() and fold(track.title)][:n]


def _look_for(tracks: list[Track], slips: int, chance: random.Random) -> dict[str, float]:
    first = within = 0
    milliseconds = []
    for track in tracks:
        typed = _mistyped(fold(f"{track.title} {track.artists[0]}"), slips, chance)
        started = time.perf_counter()
        found = [one.song_key for one in selectors.search_tracks(typed, FOUND_WITHIN)]
        milliseconds.append(1000 * (time.perf_counter() - started))
        first += found[:1] == [track.song_key]
        within += track.song_key in found
    milliseconds.sort()
    return {
        "found_first": round(first / len(tracks), 3),
        f"found_within_{FOUND_WITHIN}": round(within / len(tracks), 3),
        "p50_ms": round(milliseconds[len(tracks) // 2], 1),
        "p95_ms": round(milliseconds[len(tracks) * 95 // 100], 1),
    }


def _mistyped(text: str, slips: int, chance: random.Random) -> str:
    """With letters left out, doubled, exchanged for others or swapped with their neighbours."""
    for _ in range(slips):
        at = chance.randrange(len(text))
        kind = chance.choice(("leave out", "insert", "exchange", "swap"))
        letter = chance.choice(string.ascii_lowercase)
        text = {
            "leave out": text[:at] + text[at + 1 :],
            "insert": text[:at] + letter + text[at:],
            "exchange": text[:at] + letter + text[at + 1 :],
            "swap": text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        }[kind] or text
    return text


def _in_words(result: dict[str, Any]) -> str:
    lines = [f"{result['n']} tracks looked for among {result['catalogue']}"]
    for slips in (0, 1, 2):
        told = ", ".join(f"{name} {value}" for name, value in result[f"{slips}_slips"].items())
        lines.append(f"  {slips} slips: {told}")
    return "\n".join(lines)
